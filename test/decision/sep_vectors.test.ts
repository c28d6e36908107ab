/**
 * Each file that the draft publishes, with what we make of it. They lie beside the project and are
 * read where they lie; what they show is shown by files of our own in the tests of each part.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import type { EvidenceRecord, Resource } from '../../src/contract/types.gen.ts';
import { VALIDATORS } from '../../src/contract/validate.ts';
import { judgeResult } from '../../src/decision/result.ts';
import { readSepAnswer } from '../../src/decision/sep_pdp/answer.ts';
import { EXTENSION, refusedCall } from '../../src/pep/answers.ts';
import { trimServerResult } from '../../src/pep/capabilities.ts';
import { ruleOf } from '../../src/pep/methods.ts';
import { CALLER } from '../support/decisions.ts';
import { published } from '../support/prerequisite.ts';
import { inputOf, policyAt, policyOf, rbacScene, refusalOf } from './static_rbac/fixture.ts';

const VECTORS = join(import.meta.dirname, '../../../shared/vectors/sep');
const ROLES = join(VECTORS, 'static_rbac_policy.yaml');

type Json = Record<string, Record<string, unknown>>;

const textOf = (name: string): string => readFileSync(join(VECTORS, name), 'utf8');
const jsonOf = (name: string): Json => JSON.parse(textOf(name)) as Json;

const HUMAN_BY_TASK = {
  actor_required: 'human',
  approval_required: true,
  require_approval_via: 'task',
};
const ASK_FIRST = {
  decision: 'require_approval',
  constraints: HUMAN_BY_TASK,
  reason_code: 'APPROVAL_REQUIRED',
  safe_message: 'This operation requires approval before execution.',
};

const describePublished = published('the published examples', existsSync(VECTORS));

describePublished('the published examples of the SEP', () => {
  test.each([
    ['external_decision_request_full.json'],
    ['external_profile_request_minimal.json'],
    ['protected_tool_invocation_2_decision_request.json'],
  ])('[E-11] the request %s is answered by the published file of roles', async (name) => {
    const { core } = await rbacScene(ROLES);
    const { body } = await core.sepDecision(jsonOf(name), CALLER);
    expect(VALIDATORS.sep_decision_response(body)).toMatchObject({ ok: true });
    expect(body).toEqual(ASK_FIRST);
  });

  test('R3: the tenant of an environment is the tenant of the subject', async () => {
    const { core, records } = await rbacScene(ROLES);
    const request = jsonOf('protected_tool_invocation_2_decision_request.json');
    await core.sepDecision(request, CALLER);
    expect(await records()).toMatchObject([{ request: { subject: { tenant: 'production' } } }]);
  });

  test('a request and its answer in one file agree, but for the code', async () => {
    const { request, response } = jsonOf('external_policy_decision.json');
    const { core } = await rbacScene(ROLES);
    const { body } = await core.sepDecision(request, CALLER);
    const { reason_code: _, ...read } = readSepAnswer(response) as Json;
    expect(body).toMatchObject(read);
  });

  test.each<[name: string, outcome: string, constraints: object]>([
    ['decision_require_approval_human_task.json', 'require_approval', HUMAN_BY_TASK],
    ['external_decision_response_full.json', 'require_approval', HUMAN_BY_TASK],
    ['external_profile_response_minimal.json', 'require_approval', HUMAN_BY_TASK],
    ['approval_profile_decision.json', 'require_approval', HUMAN_BY_TASK],
    ['protected_tool_invocation_3_decision_response.json', 'require_approval', HUMAN_BY_TASK],
    [
      'decision_require_approval_no_actor.json',
      'require_approval',
      { approval_required: true, require_approval_via: 'task' },
    ],
    [
      'middle_draft_decision_elicitation.json',
      'require_approval',
      { ...HUMAN_BY_TASK, require_approval_via: 'elicitation' },
    ],
    ['early_draft_decision_cannot_validate_actor.json', 'deny', {}],
    ['early_draft_decision_approval_not_supported.json', 'deny', {}],
  ])('[E-11] R1: the answer %s of somebody else is read as %s', (name, outcome, constraints) => {
    const answer = jsonOf(name);
    expect(judgeResult(readSepAnswer(answer))).toMatchObject({
      outcome,
      constraints,
      reason_code: answer.reason_code,
    });
  });

  test('R1: we answer in the later spelling only, and without words of early drafts', () => {
    const spelling = (name: string) => VALIDATORS.sep_decision_response(jsonOf(name)).ok;
    expect(spelling('external_decision_response_full.json')).toBe(true);
    expect(spelling('decision_require_approval_no_actor.json')).toBe(true);
    expect(spelling('external_profile_response_minimal.json')).toBe(false);
    expect(spelling('middle_draft_decision_elicitation.json')).toBe(false);
    expect(spelling('early_draft_decision_cannot_validate_actor.json')).toBe(false);
  });

  test('R2: each form of a file of roles is in force', async () => {
    const names = ['static_rbac_policy.yaml', 'static_rbac_reference_policy.yaml'];
    for (const name of [...names, 'static_rbac_profile_fragment.yaml']) {
      const policy = await policyAt(join(VECTORS, name));
      const ask = (...groups: string[]) => policy.evaluate(inputOf('tool:restart_service', groups));
      expect(ask('sre')).toMatchObject({
        decision: 'require_approval',
        rules: [expect.anything()],
      });
      expect(ask()).toMatchObject({ decision: 'deny', visible: false });
    }
  });

  test('R8: the table of methods alone is no policy; with roles it cuts no list', async () => {
    const yaml = textOf('methods_table.yaml');
    expect(await refusalOf(yaml)).toBe(
      'RBAC_INVALID FILE, line 1, column 1: at `/roles` this member is missing',
    );
    const roles =
      "roles: {a: {grants: [{capability: 'resource_template:x', " +
      'actions: [list], decision: allow}]}}';
    const policy = await policyOf(`${yaml}\n${roles}\n`);
    const input = inputOf('resource_template:x', ['a'], { method: 'resources/templates/list' });
    expect(policy.list(input, [input.resource as Resource])).toEqual([[true, 'ALLOWED', ['a/1']]]);
  });

  test('the call of a protected tool is decided on', async () => {
    const { method, params } = jsonOf('protected_tool_call.json') as unknown as {
      method: string;
      params: { name: string };
    };
    expect(ruleOf(method)).toMatchObject({ handling: 'decide', verb: 'execute' });
    const policy = await policyAt(ROLES);
    const call = inputOf(`tool:${params.name}`, ['sre'], { method });
    expect(policy.evaluate(call)).toMatchObject({ decision: 'require_approval' });
  });

  test('a tool that is defined locally is listed for whom policy lets know of it', async () => {
    const { name } = jsonOf('local_stdio_tool_definition.json') as unknown as { name: string };
    const policy = await policyAt(ROLES);
    const list = (...groups: string[]) => {
      const input = inputOf(`tool:${name}`, groups, { method: 'tools/list' });
      return policy.list(input, [input.resource as Resource]).map(([visible]) => visible);
    };
    expect([list('sre'), list('automation'), list()]).toEqual([[true], [false], [false]]);
  });

  test('discovery is filtered by a policy of our own, in order', async () => {
    const vector = jsonOf('discovery_filtering.json');
    const { subject, environment } = vector.server_policy_context as Json;
    const { unfiltered_tools: all, filtered_tools: shown } = vector as unknown as Record<
      string,
      string[]
    >;
    const policy = await policyOf(`roles:
  developer:
    grants:
      - {capability: 'tool:read_logs', actions: [execute], decision: allow}
      - {capability: 'tool:collect_metrics', actions: [execute], decision: allow}
      - capability: tool:restart_service
        actions: [execute]
        decision: allow
        constraints: {environment: staging}
`);
    const groups = subject?.groups;
    const place = { context: { environment }, subject: { id: subject?.principal } };
    const inputFor = (name: string, method = 'tools/call') =>
      inputOf(`tool:${name}`, groups, {
        method,
        ...place,
        subject: { id: subject?.principal, properties: { groups } },
      });
    const resources = all!.map((name) => inputFor(name).resource as Resource);
    const listed = policy.list(inputFor('', 'tools/list'), resources);
    expect(all!.filter((_, at) => listed[at]?.[0])).toEqual(shown);
    for (const name of all!) {
      const visible = shown!.includes(name);
      expect(policy.evaluate(inputFor(name))).toMatchObject({
        decision: visible ? 'allow' : 'deny',
        visible,
      });
    }
  });

  test('R6: the denial object is what a refusal carries', () => {
    const denial = jsonOf('denial_error_object.json');
    const refusal = { reason_code: 'POLICY_DENIED', request_id: 'r-1' };
    const { result } = refusedCall(1, 'legacy', refusal) as { result: { _meta: Json } };
    expect(result._meta[EXTENSION]).toMatchObject(denial);
  });

  test('the extension is declared under its name, with its members and no others', () => {
    const { capabilities } = jsonOf('extension_capability_declaration.json') as Record<
      string,
      { extensions: Record<string, object> }
    >;
    const wanted = capabilities!.extensions;
    const ours = trimServerResult({ capabilities: {} }, 'modern', { audit_events: false })
      .capabilities as { extensions: Record<string, object> };
    expect(Object.keys(ours.extensions)).toContain(Object.keys(wanted)[0]);
    expect(Object.keys(ours.extensions[EXTENSION]!).sort()).toEqual(
      Object.keys(wanted[EXTENSION]!).sort(),
    );
    expect(ours.extensions[EXTENSION]).toMatchObject({ version: '1.0' });
  });

  test('what the audit event says stands in the record of the decision', async () => {
    const event = jsonOf('audit_event_policy_decision.json') as Record<string, unknown>;
    expect(Object.keys(event)).toHaveLength(10);
    const { core, records } = await rbacScene(ROLES);
    await core.sepDecision(jsonOf('external_decision_request_full.json'), CALLER);
    const [record] = await records();
    const { timestamp: _, server: _server, event_type: _type, reason_code: _code, ...said } = event;
    expect(eventOf(record!)).toMatchObject(said);
  });

  /** The members of the draft's event that a record holds; its own words come with their issue. */
  function eventOf({ request, outcome }: EvidenceRecord): object {
    const { subject, resource, environment } = request!;
    return {
      principal: subject?.id,
      actor_type: subject?.actor_type,
      capability: { type: resource?.type, name: resource?.id },
      action: 'execute',
      decision: outcome,
      environment: { deployment: environment },
    };
  }

  test('none is left out', () => {
    const here = readFileSync(import.meta.filename, 'utf8');
    expect(readdirSync(VECTORS).filter((name) => !here.includes(name))).toEqual([]);
  });
});
