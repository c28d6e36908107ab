/**
 * The failures of requirement E-12 again, where a policy server decides: a real one as far as it
 * can fail in that way, else one that lies.
 */
import { afterEach, expect, test } from '@jest/globals';
import { EXTENSION } from '../../src/pep/answers.ts';
import { json } from '../decision/foreign/fixture.ts';
import { describeWithCerbos } from '../decision/foreign/processes.ts';
import { describeWithOpa } from '../support/toolchain.ts';
import {
  absentWorld,
  cerbosWorld,
  closeBackends,
  liarWorld,
  opaWithoutPolicy,
  opaWorld,
  type ServerWorld,
} from './support/backends.ts';
import { ALICE } from './support/parts.ts';
import { before } from './support/real.ts';
import { LINES } from './support/servers.ts';
import { TOOLS, type World } from './support/worlds.ts';

afterEach(closeBackends);

const AUTOMATION = {
  ...ALICE,
  subject: {
    ...ALICE.subject,
    properties: { ...ALICE.subject.properties, actor_type: 'automation' as const },
  },
};

interface Failure {
  title: string;
  world: () => Promise<World>;
  tool: string;
  code: string;
  /** What an operator finds in the evidence or in a log. */
  why: string;
}

const killed = (start: () => Promise<ServerWorld>) => async (): Promise<World> => {
  const world = await start();
  return { ...world, fail: () => world.server.kill() };
};
const hanging = (start: (remote: object) => Promise<ServerWorld>) => async (): Promise<World> => {
  const world = await start({ timeout_ms: 1000 });
  return { ...world, fail: () => world.server.freeze() };
};
const context = (said: object) => json({ decision: true, context: said });

const UNAVAILABLE = { tool: 'fine', code: 'POLICY_UNAVAILABLE' } as const;
const INDETERMINATE = { tool: 'fine', code: 'POLICY_INDETERMINATE' } as const;
const SCHEMA = 'the result of the policy fails its schema';

const OPA: Failure[] = [
  {
    title: 'the policy cannot be loaded',
    world: opaWithoutPolicy,
    ...UNAVAILABLE,
    why: 'it answered with status 500',
  },
  {
    title: 'the policy cannot be evaluated',
    world: opaWorld,
    ...INDETERMINATE,
    tool: 'conflict',
    why: 'BACKEND_ANSWER_INVALID: the policy server gave no decision: it answered with status 500',
  },
  {
    title: 'the PDP cannot be reached',
    world: killed(opaWorld),
    ...UNAVAILABLE,
    why: 'gave no decision: ',
  },
  {
    title: 'the PDP does not answer in time',
    world: hanging(opaWorld),
    ...UNAVAILABLE,
    why: 'no whole answer within 1000 ms',
  },
  {
    title: 'the decision is malformed',
    world: opaWorld,
    ...INDETERMINATE,
    tool: 'text',
    why: SCHEMA,
  },
  {
    title: 'the value of the decision is not supported',
    world: opaWorld,
    ...INDETERMINATE,
    tool: 'maybe',
    why: `${SCHEMA} at \`/decision\` (enum)`,
  },
  {
    title: 'the actor constraint is not validated',
    world: opaWorld,
    tool: 'actor',
    code: 'ACTOR_VALIDATION_FAILED',
    why: '"reason_code":"ACTOR_VALIDATION_FAILED"',
  },
  {
    title: 'the approval constraint is not validated',
    world: opaWorld,
    tool: 'approval',
    code: 'APPROVAL_REQUIRED',
    why: 'APPROVAL_REQUIRED',
  },
  {
    title: 'no policy applies to a protected capability',
    world: opaWorld,
    ...INDETERMINATE,
    tool: 'ruleless',
    why: 'the policy yields no result',
  },
  {
    title: 'the backend is in error',
    world: liarWorld('opa', json({ code: 'internal_error' }, 502)),
    ...UNAVAILABLE,
    why: 'it answered with status 502',
  },
  {
    title: 'the decision is indeterminate',
    world: opaWorld,
    ...INDETERMINATE,
    tool: 'errors',
    why: 'the policy reports errors',
  },
];

const CERBOS: Failure[] = [
  {
    title: 'the policy cannot be loaded',
    world: () => absentWorld('authzen'),
    ...UNAVAILABLE,
    why: 'there is no socket',
  },
  {
    title: 'the policy cannot be evaluated',
    world: liarWorld('authzen', json({ code: 9, message: 'invalid policy' }, 400)),
    ...INDETERMINATE,
    why: 'it answered with status 400',
  },
  {
    title: 'the PDP cannot be reached',
    world: killed(cerbosWorld),
    ...UNAVAILABLE,
    why: 'gave no decision: ',
  },
  {
    title: 'the PDP does not answer in time',
    world: hanging(cerbosWorld),
    ...UNAVAILABLE,
    why: 'no whole answer within 1000 ms',
  },
  {
    title: 'the decision is malformed',
    world: liarWorld('authzen', json({ decision: 'true' })),
    ...INDETERMINATE,
    why: '`decision` is not true or false',
  },
  {
    title: 'the value of the decision is not supported',
    world: liarWorld('authzen', json({ decision: true, context: { outcome: 'maybe' } })),
    ...INDETERMINATE,
    why: `${SCHEMA} at \`/decision\` (enum)`,
  },
  {
    title: 'the actor constraint is not validated',
    world: liarWorld('authzen', context({ constraints: { actor_required: 'human' } })),
    tool: 'fine',
    code: 'ACTOR_VALIDATION_FAILED',
    why: '"reason_code":"ACTOR_VALIDATION_FAILED"',
  },
  {
    title: 'the approval constraint is not validated',
    world: liarWorld('authzen', context({ constraints: { approval_required: true } })),
    tool: 'fine',
    code: 'APPROVAL_REQUIRED',
    why: 'APPROVAL_REQUIRED',
  },
  {
    title: 'no policy applies to a protected capability',
    world: cerbosWorld,
    tool: 'ruleless',
    code: 'POLICY_DENIED',
    why: '"reason_code":"POLICY_DENIED"',
  },
  {
    title: 'the backend is in error',
    world: liarWorld('authzen', json({ code: 13 }, 500)),
    ...UNAVAILABLE,
    why: 'it answered with status 500',
  },
  {
    title: 'the decision is indeterminate',
    world: liarWorld('authzen', json({ context: { reason: 'a source is down' } })),
    ...INDETERMINATE,
    why: '`decision` is not true or false',
  },
];

const SENTENCES: Record<string, string> = {
  POLICY_UNAVAILABLE: 'The server policy is not available.',
  POLICY_INDETERMINATE: 'The server policy could not decide this operation.',
  POLICY_DENIED: 'The server policy does not allow this operation.',
  ACTOR_VALIDATION_FAILED: 'This operation requires an actor that could not be validated.',
  APPROVAL_REQUIRED: 'This operation requires approval before execution.',
};

function failures(table: readonly Failure[], working: () => Promise<World>): void {
  const cases = LINES.flatMap((line) => table.map((failure) => ({ line, ...failure })));

  test.each(cases)('$title, SDK $line.x', async ({ line, world, tool, code, why }) => {
    const { point, fail, log, records } = await world();
    const rig = await before(point, line, TOOLS, AUTOMATION);
    await fail?.();
    const { result } = await rig.wire.call(1, tool, { amount: 1 });
    expect(result).toMatchObject({
      isError: true,
      content: [{ type: 'text', text: SENTENCES[code] }],
      _meta: { [EXTENSION]: { reason_code: code } },
    });
    expect(rig.journal.calls).toEqual([]);
    expect(JSON.stringify(await records?.()) + textOf(log?.lines)).toContain(why);
  });

  test.each(LINES)('the method is not known, SDK %i.x', async (line) => {
    const { point } = await working();
    const { wire, journal } = await before(point, line, TOOLS);
    const { error } = await wire.askFor(1, 'tools/execute', { name: 'fine' });
    expect(error).toMatchObject({
      code: -32601,
      data: { error: { code: 'UNKNOWN_METHOD_DENIED' } },
    });
    expect(journal.calls).toEqual([]);
  });

  test.each(LINES)('but where nothing fails it is, SDK %i.x', async (line) => {
    const { point } = await working();
    const { wire, journal } = await before(point, line, TOOLS);
    expect((await wire.call(1, 'fine')).result.content).toEqual([
      { type: 'text', text: 'did fine' },
    ]);
    expect(journal.calls).toHaveLength(1);
  });
}

describeWithOpa('behind an OPA server nothing is executed where', () => failures(OPA, opaWorld));
describeWithCerbos('behind Cerbos nothing is executed where', () => failures(CERBOS, cerbosWorld));

/** Errors have no JSON of their own. */
function textOf(lines: unknown): string {
  return JSON.stringify(lines, (_name, member: unknown) =>
    member instanceof Error ? String(member) : member,
  );
}
