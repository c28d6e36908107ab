/** What a refused caller reads, for each reason that a guard can give: nothing of the policy. */
import { afterEach, expect, test } from '@jest/globals';
import { draftCode, REASONS } from '../../src/contract/reasons.ts';
import { EXTENSION } from '../../src/pep/answers.ts';
import { remote } from '../decision/remote/fixture.ts';
import { ALLOWED } from '../pdp/fixture.ts';
import { foreignBundle, sceneOf } from '../support/decisions.ts';
import { describeWithOpa } from '../support/toolchain.ts';
import { ALICE } from './support/parts.ts';
import { before, embedded, provenPretender } from './support/real.ts';
import { guarded } from './support/rig.ts';
import { allow } from './support/scripted.ts';
import { LINES, type Line } from './support/servers.ts';
import { cleanDesks, tasksRig } from './support/tasks_1.ts';
import { closeWorlds, keep, said, type World } from './support/worlds.ts';

afterEach(closeWorlds);

/** Everything of this policy that has a name is called `kestrel`, and nothing else is. */
const POLICY = `package kestrel.rules.kestrel_area
id := input.resource.id
call if input.context.phase == "call"
verdicts := {
  "denied": {"decision": "deny"},
  "coded": {"decision": "deny", "reason_code": "TREASURER_ONLY"},
  "worded": {
    "decision": "deny",
    "reason_code": "TREASURER_ONLY",
    "safe_message": "Ask the treasurer.",
  },
  "not_allowed": {"decision": "deny", "reason_code": "CAPABILITY_NOT_ALLOWED"},
  "misnamed": {"decision": "deny", "reason_code": "ALLOWED"},
  "approval": {"decision": "require_approval", "constraints": {"require_approval_via": "task"}},
  "actor": {"decision": "allow", "constraints": {"actor_required": "service_account"}},
  "duty": {"decision": "allow", "obligations": [{"type": "notify", "target": "kestrel_duty"}]},
  "login": {"decision": "allow", "obligations": [{"type": "step_up", "acr": "kestrel_acr"}]},
  "masked": {
    "decision": "allow",
    "obligations": [{"type": "keep_fields", "paths": ["/kestrel"], "unstructured": "refuse"}],
  },
  "faulty": {"decision": "kestrel_value"},
  "erring": {"decision": "allow", "errors": ["kestrel_error"]},
  "fine": {"decision": "allow"},
}
limit := data.kestrel_limits[input.subject.id]
named := {"rules": ["kestrel/kestrel_rule"]}
result := {"decision": "allow"} if not call
result := object.union(verdicts[id], named) if { call; limit == "kestrel_datum" }
result := "kestrel_conflict" if { call; id == "conflict" }
result := "kestrel_other" if { call; id == "conflict" }
`;
const DATA = { kestrel_limits: { [ALICE.subject.id]: 'kestrel_datum' } };

/** Words of the policy, of the engine, of places and of the decision point. */
const INTERNALS =
  /kestrel|rego|wasm|opa|ENGINE_|schema|sha256|hmac|127\.0\.0\.1|\/tmp|socket|\.ts\b|stack/i;

async function policy(): Promise<World> {
  const bundle = await foreignBundle(POLICY, ['kestrel/rules/kestrel_area/result'], { data: DATA });
  const { core } = await sceneOf(bundle);
  return { point: embedded(core) };
}

/** A decision point that wants other arguments each time. */
const stale = said({
  decision: false,
  context: { ...ALLOWED.context, outcome: 'deny', reason_code: 'ARGUMENTS_INCOMPLETE' },
});

async function unreachable(): Promise<World> {
  const pretender = await provenPretender(() => ALLOWED);
  return { point: keep(remote({ url: pretender.url })), fail: () => pretender.close() };
}

interface Denial {
  world: () => Promise<World>;
  tool: string;
  code: string;
  sentence?: string;
  arguments?: object;
}

const DENIALS: Denial[] = [
  { world: policy, tool: 'denied', code: 'POLICY_DENIED' },
  {
    world: policy,
    tool: 'coded',
    code: 'TREASURER_ONLY',
    sentence: 'The server policy does not allow this operation.',
  },
  { world: policy, tool: 'worded', code: 'TREASURER_ONLY', sentence: 'Ask the treasurer.' },
  { world: policy, tool: 'not_allowed', code: 'CAPABILITY_NOT_ALLOWED' },
  { world: policy, tool: 'misnamed', code: 'POLICY_INDETERMINATE' },
  { world: policy, tool: 'approval', code: 'APPROVAL_REQUIRED' },
  { world: policy, tool: 'actor', code: 'ACTOR_VALIDATION_FAILED' },
  { world: policy, tool: 'duty', code: 'OBLIGATION_UNSUPPORTED' },
  { world: policy, tool: 'login', code: 'STEP_UP_REQUIRED' },
  { world: policy, tool: 'masked', code: 'RESULT_WITHHELD' },
  { world: policy, tool: 'faulty', code: 'POLICY_INDETERMINATE' },
  { world: policy, tool: 'erring', code: 'POLICY_INDETERMINATE' },
  { world: policy, tool: 'conflict', code: 'POLICY_INDETERMINATE' },
  { world: policy, tool: 'ruleless', code: 'POLICY_INDETERMINATE' },
  { world: stale, tool: 'fine', code: 'ARGUMENTS_INCOMPLETE' },
  {
    world: policy,
    tool: 'fine',
    code: 'ARGUMENTS_TOO_LARGE',
    arguments: { note: 'n'.repeat(20_000) },
  },
  { world: said({ kestrel: true }), tool: 'fine', code: 'POLICY_UNAVAILABLE' },
  { world: unreachable, tool: 'fine', code: 'POLICY_UNAVAILABLE' },
];
const TOOLS = DENIALS.map(({ tool }) => tool);

/** The draft's own codes (E-13) that a caller is told. */
const DRAFT = [
  'POLICY_DENIED',
  'POLICY_UNAVAILABLE',
  'POLICY_INDETERMINATE',
  'ACTOR_VALIDATION_FAILED',
  'APPROVAL_REQUIRED',
  'APPROVAL_VALIDATION_FAILED',
  'CAPABILITY_NOT_ALLOWED',
  'UNKNOWN_METHOD_DENIED',
];
/** The policy's own. */
const OWN = ['TREASURER_ONLY'];

function sentenceOf({ code, sentence }: Denial): string {
  return sentence ?? REASONS[code as keyof typeof REASONS];
}

async function answerOf(line: Line, denial: Denial, settings = {}): Promise<string> {
  const { world, tool, arguments: args = { amount: 1 } } = denial;
  const { point, fail } = await world();
  const { wire, journal } = await before(point, line, [...TOOLS, 'fine'], ALICE, settings);
  await fail?.();
  const answer = await wire.ask(1, 'tools/call', { name: tool, arguments: args });
  expect(journal.calls).toHaveLength(tool === 'masked' ? 1 : 0);
  return answer;
}

const CASES = LINES.flatMap((line) => DENIALS.map((denial) => ({ line, ...denial })));

describeWithOpa('a refusal', () => {
  test.each(CASES)(
    '[E-13] of $tool says $code and no more, SDK $line.x',
    async ({ line, ...denial }) => {
      const message = sentenceOf(denial);
      const answer = await answerOf(line, denial);
      const { result } = JSON.parse(answer) as { result: Record<string, unknown> };
      expect(Object.keys(result).sort()).toEqual(['_meta', 'content', 'isError']);
      expect(result.content).toEqual([{ type: 'text', text: message }]);
      const { [EXTENSION]: told, ...more } = result._meta as Record<string, object>;
      expect(more).toEqual({});
      expect(told).toEqual({
        error: { code: draftCode(denial.code), message },
        reason_code: denial.code,
        retry: expect.any(String),
        request_id: expect.stringMatching(/^[\w-]+$/),
        ...(told && 'retry_after_seconds' in told && { retry_after_seconds: 5 }),
      });
      expect([...DRAFT, ...OWN]).toContain(draftCode(denial.code));
      expect(answer).not.toMatch(INTERNALS);
    },
  );

  test.each(CASES)(
    'of $tool says as little as an error, SDK $line.x',
    async ({ line, ...denial }) => {
      const answer = await answerOf(line, denial, { denials_as_errors: true });
      const { error } = JSON.parse(answer) as { error: Record<string, unknown> };
      expect(error).toMatchObject({ code: 403, message: sentenceOf(denial) });
      expect(answer).not.toMatch(INTERNALS);
    },
  );

  test.each(LINES)(
    '[E-13] of a method and of a list says no more either, SDK %i.x',
    async (line) => {
      const { wire } = await before((await policy()).point, line, TOOLS);
      const code = 'UNKNOWN_METHOD_DENIED';
      expect((await wire.askFor(1, 'made/up')).error.data).toEqual({
        error: { code, message: REASONS[code] },
      });
      const { point, fail } = await unreachable();
      const gone = await before(point, line, TOOLS);
      await fail?.();
      const told = await gone.wire.ask(2, 'tools/list');
      expect(JSON.parse(told)).toMatchObject({ error: { message: REASONS.POLICY_UNAVAILABLE } });
      expect(told).not.toMatch(INTERNALS);
    },
  );

  test.each(LINES)('of a tool that changed says no more either, SDK %i.x', async (line) => {
    const { wire, parts, server } = await guarded({}, { line });
    const tool = server.registerTool('late', { description: 'one' }, () => ({ content: [] }));
    parts.decisionPoint.script.decide = () => {
      tool.update({ description: 'kestrel' });
      return allow();
    };
    const told = await wire.ask(1, 'tools/call', { name: 'late', arguments: {} });
    expect(told).toContain('"error":{"code":"POLICY_INDETERMINATE"');
    expect(told).toContain('"reason_code":"DEFINITION_CHANGED"');
    expect(told).toContain(REASONS.DEFINITION_CHANGED);
    expect(told).not.toMatch(INTERNALS);
  });

  test('of a task where there are too many says no more either', async () => {
    const { wire, make } = await tasksRig({}, { settings: { tasks_max: 1 } });
    await make(1);
    const told = JSON.stringify(await make(2));
    expect(told).toContain('"error":{"code":"POLICY_INDETERMINATE"');
    expect(told).toContain('"reason_code":"TOO_MANY_TASKS"');
    expect(told).toContain(REASONS.TOO_MANY_TASKS);
    expect(told).not.toMatch(INTERNALS);
    await wire.close();
    cleanDesks();
  });

  test('every reason that a caller can be given is among these', () => {
    const codes = DENIALS.map(({ code }) => code);
    const here = [...codes, 'UNKNOWN_METHOD_DENIED', 'DEFINITION_CHANGED', 'TOO_MANY_TASKS'];
    const never = [
      // No refusal, nothing validates an approval yet, and R5.
      'ALLOWED',
      'APPROVAL_VALIDATION_FAILED',
      'CAPABILITY_NOT_VISIBLE',
      ...OWN,
    ];
    const all = [...Object.keys(REASONS), ...OWN].sort();
    expect([...new Set([...here, ...never])].sort()).toEqual(all);
  });
});
