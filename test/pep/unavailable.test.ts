import { describe, expect, test } from '@jest/globals';
import { connected, guarded, HELLO } from './support/rig.ts';
import { allow, deny, READY } from './support/scripted.ts';
import { LINES } from './support/servers.ts';
import { settle } from './support/wire.ts';

const EXTENSION = 'io.modelcontextprotocol/server-policy-enforcement';
const never = () => new Promise<never>(() => undefined);

const unavailable = {
  error: { code: 'POLICY_UNAVAILABLE', message: 'The server policy is not available.' },
  reason_code: 'POLICY_UNAVAILABLE',
  retry: 'after_seconds',
  retry_after_seconds: 5,
};

const refusedCall = {
  content: [{ type: 'text', text: 'The server policy is not available.' }],
  isError: true,
  _meta: { [EXTENSION]: { ...unavailable, request_id: expect.any(String) } },
};

const refusedRequest = {
  code: 403,
  message: 'The server policy is not available.',
  data: { ...unavailable, request_id: expect.any(String) },
};

/** Who never answers is not waited for as long as others are. */
function patience(what: string): { settings?: { decision_timeout_ms: number } } {
  return what.endsWith('hangs') ? { settings: { decision_timeout_ms: 100 } } : {};
}

describe.each(LINES)('without a decision that can be believed, SDK %i.x', (line) => {
  test.each([
    ['is dead', () => Promise.reject(new Error('ECONNREFUSED'))],
    ['throws at once', throwing],
    ['hangs', never],
    ['answers nothing', () => undefined],
    ['answers text', () => 'allow'],
    ['answers true', () => true],
    ['answers an empty object', () => ({})],
    ['answers only a decision', () => ({ decision: true })],
    ['says allow and false visibility of a wrong type', () => allow({ visible: 'yes' as never })],
    ['says an outcome that does not exist', () => allow({ outcome: 'maybe' as never })],
    ['says a constraint that does not exist', () => allow({ constraints: { mood: 1 } as never })],
    [
      'says an obligation that does not exist',
      () => allow({ obligations: [{ type: 'x' }] as never }),
    ],
    ['says true, but deny', () => ({ ...deny(), decision: true })],
    ['says true, but approval', () => allow({ outcome: 'require_approval' })],
    ['says more than it may', () => ({ ...allow(), extra: 1 })],
  ])('every name is refused alike where the decision point %s', async (what, decide) => {
    const { wire, journal } = await guarded({ decide }, { line, ...patience(what) });
    for (const name of ['balance', 'secret', 'nothing']) {
      expect((await wire.call(1, name)).result).toEqual(refusedCall);
    }
    expect(journal.calls).toEqual([]);
  });

  test('an answer that comes late changes nothing', async () => {
    const decide = () => settle(120).then(() => allow());
    const settings = { decision_timeout_ms: 40 };
    const { wire, journal } = await guarded({ decide }, { line, settings });
    expect((await wire.call(1, 'balance')).result).toEqual(refusedCall);
    await settle(150);
    expect(journal.calls).toEqual([]);
    expect(wire.messages.filter(({ id }) => id === 1)).toHaveLength(1);
  });

  test.each([
    ['is dead', () => Promise.reject(new Error('ECONNREFUSED'))],
    ['hangs', never],
    ['answers nothing', () => undefined],
    ['answers fewer', () => ({ evaluations: [{ decision: true }] })],
    ['answers text', () => ({ evaluations: 'all' })],
    ['answers no decisions', () => ({ evaluations: [{}, {}, {}, {}] })],
  ])('a list is refused where the decision point %s', async (what, discover) => {
    const { wire } = await guarded({ discover }, { line, ...patience(what) });
    expect((await wire.askFor(1, 'tools/list')).error).toEqual(refusedRequest);
  });

  test('a refusal that calls itself an allow is none that is told', async () => {
    const decide = () => ({ ...allow(), decision: false });
    const { wire, journal } = await guarded({ decide }, { line });
    const { error, reason_code } = (await wire.call(1, 'balance')).result._meta[EXTENSION];
    expect([error.code, reason_code]).toEqual(['POLICY_INDETERMINATE', 'POLICY_INDETERMINATE']);
    expect(error.message).toBe('The server policy could not decide this operation.');
    expect(journal.calls).toEqual([]);
  });

  test('it is asked again for each call, and recovers', async () => {
    const { wire, parts } = await guarded({}, { line });
    parts.decisionPoint.script = { decide: throwing };
    expect((await wire.call(1, 'balance')).result).toEqual(refusedCall);
    parts.decisionPoint.script = {};
    expect((await wire.call(2, 'balance')).result.isError).toBeUndefined();
  });
});

describe.each(LINES)('before a policy is active, SDK %i.x', (line) => {
  test.each([
    ['it says so', () => ({ ready: false, problem: 'no bundle' })],
    ['its status is malformed', () => ({ ready: 'yes' })],
    ['it cannot be asked', () => Promise.reject(new Error('ECONNREFUSED'))],
    ['it hangs', never],
  ])('[E-21] nothing is answered but a refusal (R18): %s', async (what, describeIt) => {
    const options = { line, ...patience(what) };
    const { wire, journal, parts } = await connected({ describe: describeIt }, options);
    expect((await wire.askFor(1, 'initialize', HELLO)).error).toEqual(refusedRequest);
    expect((await wire.askFor(2, 'ping')).error).toEqual(refusedRequest);
    expect((await wire.askFor(3, 'tools/list')).error).toEqual(refusedRequest);
    expect((await wire.call(4, 'balance')).result).toEqual(refusedCall);
    expect((await wire.askFor(5, 'prompts/list')).error).toEqual(refusedRequest);
    expect((await wire.askFor(6, 'made/up')).error.code).toBe(-32601);
    expect([journal.calls, parts.decisionPoint.decisions]).toEqual([[], []]);
  });

  test('what a server says by itself does not leave either', async () => {
    const { wire, server } = await connected({ describe: () => ({ ready: false }) }, { line });
    await server.sendLoggingMessage({ level: 'info', data: 'hello' });
    expect(wire.sent).toEqual([]);
  });

  test('it is answered as soon as there is one', async () => {
    const { wire, parts } = await connected({ describe: () => ({ ready: false }) }, { line });
    expect((await wire.askFor(1, 'initialize', HELLO)).error).toEqual(refusedRequest);
    parts.decisionPoint.script = {};
    expect((await wire.askFor(2, 'initialize', HELLO)).result.serverInfo.name).toBe('payments');
  });

  test('a connection does not begin on the strength of an old status', async () => {
    const { wire, parts } = await connected({}, { line });
    expect((await wire.askFor(1, 'initialize', HELLO)).error).toBeUndefined();
    parts.decisionPoint.script = { describe: throwing };
    expect((await wire.askFor(2, 'initialize', HELLO)).error).toEqual(refusedRequest);
  });

  test('one that is found to be gone while other arguments are wanted refuses', async () => {
    let decided = 0;
    const decide = () => {
      decided += 1;
      return decided === 1 ? deny({ reason_code: 'ARGUMENTS_INCOMPLETE' }) : allow();
    };
    const { wire, parts, journal } = await guarded({ decide }, { line });
    for (const describeIt of [() => ({ ready: false }), throwing]) {
      parts.decisionPoint.announce(READY);
      parts.decisionPoint.script.describe = describeIt;
      decided = 0;
      expect((await wire.call(1, 'balance')).result).toEqual(refusedCall);
      expect(decided).toBe(1);
    }
    expect(journal.calls).toEqual([]);
  });

  test('a policy that is no longer active stops everything', async () => {
    const { wire, parts, journal } = await guarded({}, { line });
    parts.decisionPoint.script = { describe: () => ({ ready: false }) };
    parts.decisionPoint.announce({ ready: false, problem: 'too old' });
    expect((await wire.askFor(1, 'ping')).error).toEqual(refusedRequest);
    expect((await wire.call(2, 'balance')).result).toEqual(refusedCall);
    parts.decisionPoint.announce(READY);
    expect((await wire.call(3, 'balance')).result.isError).toBeUndefined();
    expect(journal.calls).toHaveLength(1);
  });
});

function throwing(): never {
  throw new Error('at once');
}
