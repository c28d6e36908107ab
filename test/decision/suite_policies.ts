/**
 * The policy of the shared suite (evaluator_suite.ts) in the language of each backend, and how it
 * is put where the backend looks for it. `shut` is a policy under which nobody may use anything.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeBundle } from '../../src/bundle/files.ts';
import { wasmOf } from '../support/policies.ts';

export type Version = 'open' | 'shut';

const OPEN = `package suite
default decision := {"decision": "deny"}
teller if "tellers" in input.subject.properties.groups
call if input.context.phase == "call"
id := input.resource.id
decision := {"decision": "allow"} if { teller; id == "fine" }
decision := {"decision": "deny", "visible": true} if { teller; call; id == "refused" }
decision := {"decision": "allow"} if { teller; not call; id == "refused" }
decision := {"decision": "require_approval"} if { teller; id == "approval" }
decision := {"decision": "allow", "constraints": {"actor_required": "human"}} if {
  teller
  id == "actor"
}
visible := [i | some i, item in input.resources; shown with input.resource as item]
shown if decision.decision != "deny"
`;
const SHUT = `package suite
decision := {"decision": "deny"}
visible := []
`;
export const ENTRYPOINTS = ['suite/decision', 'suite/visible'] as const;
const METADATA = {
  portcullis: { schema_version: 1, entrypoint: ENTRYPOINTS[0], discovery: ENTRYPOINTS[1] },
};

const REGO: Readonly<Record<Version, string>> = { open: OPEN, shut: SHUT };

/** A compiled bundle. */
export async function writeWasm(file: string, version: Version): Promise<void> {
  const wasm = ENTRYPOINTS.map((entrypoint) => ({ entrypoint, module: '/policy.wasm' }));
  const files = new Map<string, Uint8Array>([
    ['policy.wasm', await wasmOf(REGO[version], ...ENTRYPOINTS)],
    ['.manifest', Buffer.from(JSON.stringify({ revision: version, wasm, metadata: METADATA }))],
    ['data.json', Buffer.from('{}')],
  ]);
  writeFileSync(file, writeBundle(files), { mode: 0o600 });
}

/** A bundle for an OPA server. */
export function writeRego(file: string, version: Version): void {
  const files = new Map<string, Uint8Array>([
    ['.manifest', Buffer.from(JSON.stringify({ revision: version, roots: ['suite'] }))],
    ['suite.rego', Buffer.from(REGO[version])],
  ]);
  writeFileSync(file, writeBundle(files));
}

/** A file of roles; the action `list` makes a thing visible that is not granted. */
const ROLES = `
version: 1
_methods: { tools/list: filter, tools/call: evaluate, _other: deny }
roles:
  tellers:
    grants:
      - { capability: "tool:fine", actions: [execute], decision: allow }
      - { capability: "tool:refused", actions: [list], decision: allow }
      - { capability: "tool:approval", actions: [execute], decision: require_approval }
      - { capability: "tool:actor", actions: [execute], decision: allow,
          constraints: { actor_required: human } }
`;
const NO_ROLES = 'version: 1\n_methods: { tools/call: evaluate, _other: deny }\nroles: {}\n';

export function writeRoles(file: string, version: Version): void {
  writeFileSync(file, version === 'open' ? ROLES : NO_ROLES, { mode: 0o600 });
}

const CERBOS = join(import.meta.dirname, 'authzen_pdp/cerbos');

/** Policies of Cerbos in a folder. */
export function writeCerbos(folder: string, version: Version): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'tool.yaml'), readFileSync(join(CERBOS, `${version}.yaml`)));
}
