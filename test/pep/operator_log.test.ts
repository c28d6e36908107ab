/** What the operator reads of what the caller is only told a sentence of; and no more than that. */
import { describe, expect, test } from '@jest/globals';
import { bare, reasonsOf, type Bare } from './support/bare.ts';
import { allow, deny } from './support/scripted.ts';
import { settle } from './support/wire.ts';

const linesOf = ({ parts }: Bare) =>
  parts.log.lines.map(({ level, message, fields }) => [level, message, fields]);

describe('a decision that is none', () => {
  test.each<[string, () => unknown, unknown[][]]>([
    [
      'a failure',
      () => Promise.reject(new Error('ECONNREFUSED')),
      [
        [
          'error',
          'there is no decision',
          { error: expect.objectContaining({ message: 'ECONNREFUSED' }) },
        ],
      ],
    ],
    [
      'an answer of no shape',
      () => ({ decision: true }),
      [['error', 'the answer of the decision point is malformed', undefined]],
    ],
    ['a deny', () => deny(), []],
  ])('%s', async (_what, decide, lines) => {
    const rig = await bare({ decide });
    await rig.wire.call(1, 'balance');
    expect(linesOf(rig)).toEqual(lines);
  });

  test('one in too long a time names the limit', async () => {
    const settings = { decision_timeout_ms: 20 };
    const rig = await bare({ decide: () => new Promise(() => undefined) }, { settings });
    await rig.wire.call(1, 'balance');
    const error = { code: 'DECISION_POINT_UNREACHABLE', message: 'no answer within 20 ms' };
    expect(linesOf(rig)).toEqual([
      ['error', 'there is no decision', { error: expect.objectContaining(error) }],
    ]);
  });

  test('of a call that is given up nothing is said', async () => {
    const rig = await bare({ decide: () => new Promise(() => undefined) });
    rig.wire.give({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'balance' } });
    await settle();
    const params = { requestId: 1 };
    rig.wire.give({ jsonrpc: '2.0', method: 'notifications/cancelled', params });
    await settle();
    expect(linesOf(rig)).toEqual([]);
  });

  test.each<[unknown, string]>([
    [{ evaluations: 'all' }, 'the answer is malformed'],
    [{ evaluations: [] }, 'the answer has another length'],
  ])('a list answered with %j', async (answer, reason) => {
    const rig = await bare({ discover: () => answer });
    await rig.wire.ask(1, 'tools/list');
    expect(reasonsOf(rig.parts)).toEqual([['DECISION_POINT_UNREACHABLE', reason]]);
  });
});

describe('a message that goes nowhere', () => {
  test('a method that is not enforced, with as much of its name as a log takes', async () => {
    const rig = await bare();
    rig.wire.give({ jsonrpc: '2.0', id: 1, method: 'm'.repeat(200) });
    expect(linesOf(rig)).toEqual([
      ['warn', 'denied a method that is not enforced', { method: 'm'.repeat(128) }],
    ]);
  });

  test.each<[string, object, unknown[]]>([
    [
      'no message',
      { id: {}, result: {} },
      ['error', 'dropped a malformed message of the server', { pointer: '/id' }],
    ],
    [
      'a late answer',
      { id: 77, result: {} },
      ['debug', 'dropped an answer that nobody waits for', undefined],
    ],
    [
      'a question to the client',
      { id: 1, method: 'tools/list' },
      ['warn', 'denied a request of the server', { method: 'tools/list' }],
    ],
    [
      'word of what is not enforced',
      { method: 'notifications/made_up' },
      ['debug', 'withheld a notification of the server', { method: 'notifications/made_up' }],
    ],
  ])('%s of the server', async (_what, message, line) => {
    const rig = await bare();
    await rig.wire.ask('p', 'ping');
    await rig.say(message);
    expect([linesOf(rig), rig.wire.sent]).toEqual([[line], [expect.stringContaining('"p"')]]);
  });

  test('one that the client did not take', async () => {
    const rig = await bare();
    rig.wire.send = () => Promise.reject(new Error('EPIPE'));
    rig.wire.give({ jsonrpc: '2.0', id: 1, method: 'ping' });
    await settle();
    const error = expect.objectContaining({ message: 'EPIPE' });
    expect(linesOf(rig)).toEqual([['warn', 'a message did not reach the client', { error }]]);
  });

  test('answers that the guard waits for, and nobody else, are not told', async () => {
    const rig = await bare();
    await rig.wire.call(1, 'balance');
    expect(linesOf(rig)).toEqual([]);
    const again = { id: rig.own[0]?.id, result: { tools: [] } };
    await rig.say(again);
    expect(linesOf(rig)).toEqual([['debug', 'dropped an answer that nobody waits for', undefined]]);
  });
});

describe('a caller', () => {
  test('who is not proved: why not, in the words of the source', async () => {
    const rig = await bare(
      {},
      {
        identity: (_extra, report) => {
          report?.('the token is expired');
          return undefined;
        },
      },
    );
    await rig.wire.ask(1, 'ping');
    expect(linesOf(rig)).toEqual([
      ['warn', 'the caller is not proved', { reason: 'the token is expired' }],
    ]);
  });

  test.each<[unknown, unknown]>([
    [new RangeError('the token secret'), 'RangeError'],
    ['the token secret', false],
  ])('who cannot be resolved: the kind of the failure only', async (thrown, error) => {
    const rig = await bare(
      {},
      {
        identity: () => {
          throw thrown;
        },
      },
    );
    await rig.wire.ask(1, 'ping');
    expect(linesOf(rig)).toEqual([['error', 'the caller cannot be resolved', { error }]]);
  });

  test('who is another than began the connection', async () => {
    const identity = ({ authInfo }: { authInfo?: unknown }) => ({
      subject: { type: 'identity' as const, id: String(authInfo) },
    });
    const rig = await bare({}, { identity });
    rig.wire.give({ jsonrpc: '2.0', id: 1, method: 'ping' }, { authInfo: 'alice' });
    await rig.wire.answerTo(1);
    const before = rig.wire.sent.length;
    rig.wire.give({ jsonrpc: '2.0', method: 'notifications/initialized' }, { authInfo: 'bob' });
    rig.wire.give({ jsonrpc: '2.0', id: {} }, { authInfo: 'bob' });
    const line = ['warn', 'a connection was used by another principal than began it', undefined];
    expect(linesOf(rig)).toEqual([line, line]);
    expect([rig.wire.sent.slice(before), rig.heard.length]).toEqual([[], 1]);
  });
});

describe('what was done', () => {
  test('is reported with its evaluation, and a failure to do so names it', async () => {
    const rig = await bare({ report: () => Promise.reject(new Error('disk')) });
    await rig.wire.call(1, 'balance');
    await settle();
    const error = expect.objectContaining({ message: 'disk' });
    expect(linesOf(rig)).toEqual([
      ['error', 'an outcome was not reported', { evaluation_id: 'e-1', error }],
    ]);
  });

  test('is not reported of a decision without a name', async () => {
    const rig = await bare({
      decide: () => {
        const { context, ...answer } = allow();
        const { evaluation_id: _, ...unnamed } = context;
        return { ...answer, context: unnamed };
      },
    });
    expect((await rig.wire.call(1, 'balance')).result).toEqual({ content: [] });
    expect([rig.parts.decisionPoint.reports, linesOf(rig)]).toEqual([[], []]);
  });

  test.each<[string, object]>([
    ['a result of no shape', { result: { content: 'ssn' } }],
    ['an error of no shape', { error: { code: 'ssn', message: 'ssn' } }],
  ])('and cannot be masked is withheld: %s', async (_what, answer) => {
    const keep = { type: 'keep_fields' as const, paths: [], unstructured: 'drop' as const };
    const rig = await bare(
      { decide: () => allow({ obligations: [keep] }) },
      { answer: () => answer },
    );
    const told = JSON.stringify(await rig.wire.call(1, 'balance'));
    expect(told).toContain('RESULT_WITHHELD');
    expect(told).not.toContain('ssn');
    const reason = expect.stringContaining('malformed');
    expect(linesOf(rig)).toEqual([['warn', 'a result was withheld', { reason }]]);
  });
});
