/** The failures of requirement E-12, each before the real decision core or a real service. */
import { afterEach, expect, test } from '@jest/globals';
import { EXTENSION } from '../../src/pep/answers.ts';
import { ALLOWED } from '../pdp/fixture.ts';
import { describeWithOpa } from '../support/toolchain.ts';
import { ALICE } from './support/parts.ts';
import { before, embedded } from './support/real.ts';
import { LINES } from './support/servers.ts';
import {
  brokenBundle,
  closeWorlds,
  leaving,
  library,
  policy,
  said,
  scene,
  service,
  TOOLS,
  withoutEvidence,
  type World,
} from './support/worlds.ts';

afterEach(closeWorlds);

const robot = { ...ALICE.subject, properties: { actor_type: 'automation' as const } };
const AUTOMATION = { ...ALICE, subject: robot };

interface Failure {
  title: string;
  world: () => Promise<World>;
  tool: string;
  code: string;
  /** What an operator finds in the evidence or in a log. */
  why: string;
  who?: typeof AUTOMATION;
  settings?: { decision_timeout_ms: number };
}

const FAILURES: Failure[] = [
  {
    title: 'the policy cannot be loaded',
    world: brokenBundle,
    tool: 'fine',
    code: 'POLICY_UNAVAILABLE',
    why: 'the archive is no gzip',
  },
  {
    title: 'the policy cannot be evaluated',
    world: policy,
    tool: 'conflict',
    code: 'POLICY_INDETERMINATE',
    why: 'ENGINE_ABORTED',
  },
  {
    title: 'the PDP cannot be reached',
    world: async () => {
      const world = await service();
      return { ...world, fail: world.close };
    },
    tool: 'fine',
    code: 'POLICY_UNAVAILABLE',
    why: 'nobody listens there',
  },
  {
    title: 'the PDP does not answer in time',
    world: () => service({ evaluation: () => new Promise(() => undefined) }),
    tool: 'fine',
    code: 'POLICY_UNAVAILABLE',
    why: 'no answer within 1000 ms',
    settings: { decision_timeout_ms: 1000 },
  },
  {
    title: 'the decision is malformed',
    world: said({ ...ALLOWED, decision: 'true' }),
    tool: 'fine',
    code: 'POLICY_UNAVAILABLE',
    why: 'not of the agreed shape (type at `/decision`)',
  },
  {
    title: 'the decision of the policy is malformed',
    world: policy,
    tool: 'text',
    code: 'POLICY_INDETERMINATE',
    why: 'the result of the policy fails its schema at `` (type)',
  },
  {
    title: 'the value of the decision is not supported',
    world: said({ ...ALLOWED, context: { ...ALLOWED.context, outcome: 'maybe' } }),
    tool: 'fine',
    code: 'POLICY_UNAVAILABLE',
    why: 'not of the agreed shape (enum at `/context/outcome`)',
  },
  {
    title: 'the value of the decision of the policy is not supported',
    world: policy,
    tool: 'maybe',
    code: 'POLICY_INDETERMINATE',
    why: 'fails its schema at `/decision` (enum)',
  },
  {
    title: 'the actor constraint is not validated',
    world: policy,
    tool: 'actor',
    code: 'ACTOR_VALIDATION_FAILED',
    why: '"profile":"mcp/1","reason_code":"ACTOR_VALIDATION_FAILED"',
    who: AUTOMATION,
  },
  {
    title: 'the actor constraint is left to the guard and not validated',
    world: leaving({ actor_required: 'human' }),
    tool: 'fine',
    code: 'ACTOR_VALIDATION_FAILED',
    why: '"status":"refused","reason_code":"ACTOR_VALIDATION_FAILED"',
    who: AUTOMATION,
  },
  {
    title: 'the approval constraint is not validated',
    world: policy,
    tool: 'approval',
    code: 'APPROVAL_REQUIRED',
    why: 'APPROVAL_REQUIRED',
  },
  {
    title: 'the approval constraint is left to the guard and not validated',
    world: leaving({ approval_required: true }),
    tool: 'fine',
    code: 'APPROVAL_REQUIRED',
    why: '"status":"refused","reason_code":"APPROVAL_REQUIRED"',
  },
  {
    title: 'no policy applies to a protected capability',
    world: policy,
    tool: 'ruleless',
    code: 'POLICY_INDETERMINATE',
    why: 'the policy yields no result',
  },
  {
    title: 'the backend is in error',
    world: () =>
      service({
        evaluation: () => Promise.reject(new Error('out of memory')),
      }),
    tool: 'fine',
    code: 'POLICY_UNAVAILABLE',
    why: 'out of memory',
  },
  {
    title: 'the evidence of the backend cannot be written',
    world: withoutEvidence,
    tool: 'fine',
    code: 'POLICY_UNAVAILABLE',
    why: 'the disk is full',
  },
  {
    title: 'the decision is indeterminate',
    world: policy,
    tool: 'errors',
    code: 'POLICY_INDETERMINATE',
    why: 'the policy reports errors',
  },
];

const SENTENCES: Record<string, string> = {
  POLICY_UNAVAILABLE: 'The server policy is not available.',
  POLICY_INDETERMINATE: 'The server policy could not decide this operation.',
  ACTOR_VALIDATION_FAILED: 'This operation requires an actor that could not be validated.',
  APPROVAL_REQUIRED: 'This operation requires approval before execution.',
};

describeWithOpa('nothing is executed where', () => {
  const cases = LINES.flatMap((line) => FAILURES.map((failure) => ({ line, ...failure })));

  test.each(cases)(
    '[E-12] $title, SDK $line.x',
    async ({ line, world, tool, code, why, who, settings }) => {
      const { point, fail, log, records } = await world();
      const rig = await before(point, line, TOOLS, who, settings);
      await fail?.();
      const { result } = await rig.wire.call(1, tool, { amount: 1 });
      expect(result).toMatchObject({
        isError: true,
        content: [{ type: 'text', text: SENTENCES[code] }],
        _meta: { [EXTENSION]: { error: { code, message: SENTENCES[code] }, reason_code: code } },
      });
      expect(rig.journal.calls).toEqual([]);
      const kept = [await records?.(), log?.lines, rig.log.lines];
      expect(textOf(kept)).toContain(why);
    },
  );

  test.each(LINES)('[E-12] the method is not known, SDK %i.x', async (line) => {
    const { core } = await scene();
    const { wire, log } = await before(embedded(core), line, TOOLS);
    const { error } = await wire.askFor(1, 'tools/execute', { name: 'fine' });
    const code = 'UNKNOWN_METHOD_DENIED';
    expect(error).toMatchObject({
      code: -32601,
      data: { error: { code, message: 'The server policy does not allow this method.' } },
    });
    expect(log.lines).toContainEqual({
      level: 'warn',
      message: 'denied a method that is not enforced',
      fields: { method: 'tools/execute' },
    });
  });

  test.each(LINES)('no policy applies to what nobody may know of, SDK %i.x', async (line) => {
    const { point, records } = await library();
    const { wire, journal } = await before(point, line, ['refund']);
    const told = await wire.ask(1, 'tools/call', { name: 'refund', arguments: {} });
    const unknown = await wire.ask(1, 'tools/call', { name: 'unheard', arguments: {} });
    expect(told).toBe(unknown.replace('unheard', 'refund'));
    expect(journal.calls).toEqual([]);
    const denied = {
      decision: false,
      outcome: 'deny',
      visible: false,
      reason_code: 'CAPABILITY_NOT_ALLOWED',
    };
    expect(await records?.()).toMatchObject([denied, { outcome: 'deny' }]);
  });

  test.each(LINES)('but where nothing fails it is, SDK %i.x', async (line) => {
    for (const { point } of [await policy(), await service(), await said(ALLOWED)()]) {
      const { wire, journal } = await before(point, line, TOOLS);
      expect((await wire.call(1, 'fine')).result.content).toEqual([
        { type: 'text', text: 'did fine' },
      ]);
      expect(journal.calls).toHaveLength(1);
    }
  });
});

/** Errors have no JSON of their own. */
function textOf(value: unknown): string {
  return JSON.stringify(value, (_name, member: unknown) =>
    member instanceof Error ? `${String(member)} ${textOf(member.cause ?? null)}` : member,
  );
}
