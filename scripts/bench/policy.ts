/**
 * The reference policies: 200 roles with 50 grants each in data, beside some rule packages. One is
 * written with the policy library, as users of Portcullis write; the other is plain Rego of its own
 * contract, as users of OPA write.
 */
import type { EvaluationRequest } from '../../src/contract/types.gen.ts';
import type { SourceFile } from '../../src/toolchain/sources.ts';

export type PolicyKind = 'library' | 'plain';

/** Sources of a policy, and where its decision stands. */
export interface ReferencePolicy {
  kind: PolicyKind;
  files: SourceFile[];
  entrypoint: string;
}

/** A question with the answer that the policy must give. */
export interface Question {
  request: EvaluationRequest;
  allowed: boolean;
}

export const SERVER = 'bench';
const ROLES = 200;
const GRANTS_OF_A_ROLE = 50;
const TOOLS = 500;
/** No common factor with the number of tools, so that neighbouring roles share few of them. */
const STRIDE = 7;
const LIMIT = 10_000;

export function referencePolicy(kind: PolicyKind, packages: number): ReferencePolicy {
  return kind === 'library' ? libraryPolicy(packages) : plainPolicy(packages);
}

/**
 * Questions of many roles about many tools, as a guard asks them; every tenth is one that no grant
 * answers. `projection` is the digest of the arguments that the policy reads.
 */
export function questions(count: number, projection: string): Question[] {
  return Array.from({ length: count }, (_, i) => {
    const role = (i * 37) % ROLES;
    const allowed = i % 10 !== 9;
    const granted = toolsOf(role);
    const tool = allowed ? granted[i % GRANTS_OF_A_ROLE] : (granted[0] as number) + 1;
    return { request: requestOf(role, (tool as number) % TOOLS, projection), allowed };
  });
}

/** A tool that a role may call. */
export function grantedTool(role: number): number {
  return toolsOf(role)[0] as number;
}

function toolsOf(role: number): number[] {
  return Array.from({ length: GRANTS_OF_A_ROLE }, (_, i) => (role + i * STRIDE) % TOOLS);
}

function requestOf(role: number, tool: number, projection: string): EvaluationRequest {
  return {
    subject: {
      type: 'identity',
      id: `user:user_${role}@example.com`,
      properties: { actor_type: 'human', groups: [roleName(role)] },
    },
    action: { name: 'tools/call', properties: { verb: 'execute' } },
    resource: { type: 'tool', id: toolName(tool), properties: { server: SERVER } },
    context: {
      profile: 'mcp/1',
      phase: 'call',
      environment: { deployment: 'production' },
      arguments: { amount: 100 },
      arguments_projection: projection,
    },
  };
}

export function roleName(role: number): string {
  return `role_${role}`;
}

export function toolName(tool: number): string {
  return `tool_${tool}`;
}

function capability(tool: number): string {
  return `tool:${SERVER}/${toolName(tool)}`;
}

const ALL_TOOLS = Array.from({ length: TOOLS }, (_, tool) => tool);
const ALL_ROLES = Array.from({ length: ROLES }, (_, role) => role);

/** Rules that limit an argument of one tool each. */
function libraryPolicy(packages: number): ReferencePolicy {
  const entry = { environment: 'production', risk: 'low', approved: true, data_classes: [] };
  const data = {
    registry: Object.fromEntries(ALL_TOOLS.map((tool) => [capability(tool), entry])),
    grants: ALL_ROLES.flatMap((role) =>
      toolsOf(role).map((tool) => ({ to: { group: roleName(role) }, on: capability(tool) })),
    ),
  };
  const rules = Array.from({ length: packages }, (_, i) => ({
    path: `rules/limits/limit_${i}.rego`,
    text: libraryRule(i),
  }));
  const files = [{ path: 'data.json', text: JSON.stringify(data) }, ...rules];
  return { kind: 'library', files, entrypoint: 'mcp/main/decision' };
}

function libraryRule(i: number): string {
  return `# METADATA
# title: The amount of tool ${i} is limited
# custom: {reason_code: AMOUNT_LIMIT}
package mcp.rules.limits.limit_${i}

import data.mcp.compare
import data.mcp.request

effect := "limit"

applies if request.name == "${capability(i % TOOLS)}"

default within := false

within if compare.at_most(request.arguments.amount, ${LIMIT})
`;
}

/** The shortest that says the same: a look-up of the grant, and a loop over the rule packages. */
function plainPolicy(packages: number): ReferencePolicy {
  const grants = Object.fromEntries(
    ALL_ROLES.map((role) => [
      roleName(role),
      Object.fromEntries(toolsOf(role).map((tool) => [capability(tool), true])),
    ]),
  );
  const rules = Array.from({ length: packages }, (_, i) => ({
    path: `rules/limit_${i}.rego`,
    text: plainRule(i),
  }));
  const files = [
    { path: 'authz.rego', text: PLAIN },
    { path: 'data.json', text: JSON.stringify({ grants }) },
    ...rules,
  ];
  return { kind: 'plain', files, entrypoint: 'authz/decision' };
}

const PLAIN = `package authz

default decision := {"decision": "deny", "visible": false}

decision := {"decision": "allow"} if {
	granted
	count(denials) == 0
}

granted if {
	some role in input.subject.properties.groups
	data.grants[role][name]
}

name := concat("", [resource.type, ":", resource.properties.server, "/", resource.id])

resource := input.resource

denials contains title if {
	some title
	data.rules[title].deny
}
`;

function plainRule(i: number): string {
  return `package rules.limit_${i}

import data.authz

deny if {
	authz.name == "${capability(i % TOOLS)}"
	input.context.arguments.amount > ${LIMIT}
}
`;
}
