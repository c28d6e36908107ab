/** When the policy of a server decides, when it does no longer, and who is told. */
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, expect, test } from '@jest/globals';
import {
  ForeignEvaluator,
  openForeignEvaluator,
  type ForeignPolicy,
} from '../../../src/decision/foreign/evaluator.ts';
import { projectionOf } from '../../../src/decision/foreign/project.ts';
import { nobodyAsks } from '../../../src/decision/self_test.ts';
import { PortcullisError } from '../../../src/errors.ts';
import { codeOf, evidenceOnDisk } from '../../support/decisions.ts';
import { recordingLogger, type LoggedLine } from '../../support/evidence_log.ts';
import { servers } from './fixture.ts';

afterEach(() => servers.close());

const SILENCE_MS_MAX = 1000;
const GONE = new PortcullisError('BACKEND_UNREACHABLE', 'nobody listens');
const READY = 'a policy server decides';
const NOT_READY = 'the policy server is not ready';

const ASKED = { ...nobodyAsks('2027-01-01T00:00:00Z'), subject: { id: 'alice' } };

/** A server that does as it is told, and an evaluator that looks at it when it is told to. */
async function scene({ poll_interval_ms = 60_000 } = {}) {
  const { evidence, read } = await evidenceOnDisk();
  const lines: LoggedLine[] = [];
  const server = {
    now_ms: 0,
    looks: 0,
    closed: false,
    revision: 'one',
    look: () => Promise.resolve(),
    evaluate: (input: { subject: object }): Promise<unknown> =>
      Promise.resolve('id' in input.subject && input.subject.id === 'alice'),
  };
  const policy = (): ForeignPolicy => ({
    identity: { revision: server.revision, digest: `sha256:${server.revision}` },
    evaluate: (input) => server.evaluate(input),
    list: (input) => server.evaluate(input),
  });
  const parts = {
    backend: {
      async look() {
        server.looks += 1;
        await server.look();
        return policy();
      },
      close: () => Promise.resolve(void (server.closed = true)),
    },
    projection: projectionOf([]),
    poll_interval_ms,
    silence_ms_max: SILENCE_MS_MAX,
    clock: { now_ms: () => server.now_ms },
    evidence,
    log: recordingLogger(lines),
  };
  const evaluator = servers.keep(new ForeignEvaluator(parts));
  const problem = () => {
    try {
      return evaluator.current().identity.revision;
    } catch (error) {
      expect(error).toMatchObject({ code: 'POLICY_ABSENT' });
      return (error as Error).message;
    }
  };
  return { server, parts, evaluator, lines, read, problem };
}

const rejecting = (error: Error) => () => Promise.reject(error);

test('without a policy the reason is told, and logged once for each', async () => {
  const { server, evaluator, lines, problem } = await scene();
  const fine = server.look;
  expect(problem()).toBe('no policy is active');
  const warned = (code: string, of: string) => ({
    level: 'warn',
    message: NOT_READY,
    fields: { code, problem: of },
  });
  const expected: object[] = [];
  for (const [error, code, of] of [
    [GONE, 'BACKEND_UNREACHABLE', 'nobody listens'],
    [new TypeError('canary'), 'INTERNAL', 'the policy server cannot be asked'],
  ] as const) {
    server.look = rejecting(error);
    await evaluator.check();
    await evaluator.check();
    expected.push(warned(code, of));
    expect(problem()).toBe(`no policy is active: ${of}`);
    expect(lines).toEqual(expected);
  }
  server.look = fine;
  await evaluator.check();
  expect(problem()).toBe('one');
  const fields = { revision: 'one', digest: 'sha256:one' };
  expected.push({ level: 'info', message: READY, fields });
  server.look = rejecting(GONE);
  await evaluator.check();
  expected.push(warned('BACKEND_UNREACHABLE', 'nobody listens'));
  expect(lines).toEqual(expected);
});

test('a server that gave no sound answer for too long is silent until it gives one', async () => {
  const { server, evaluator, problem } = await scene();
  const fine = server.look;
  await evaluator.start();
  let told = 0;
  let left = 0;
  const leave = evaluator.watch(() => (left += 1));
  evaluator.watch(() => (told += 1));
  server.now_ms = SILENCE_MS_MAX;
  expect(problem()).toBe('one');
  server.now_ms += 1;
  expect(problem()).toBe('the policy server is silent');
  server.look = rejecting(GONE);
  await evaluator.check();
  expect(problem()).toBe('the policy server is silent: nobody listens');
  expect([told, left]).toEqual([1, 1]);
  leave();
  server.look = fine;
  await evaluator.check();
  expect(problem()).toBe('one');
  expect([told, left]).toEqual([2, 1]);
});

test('a question that fails has the server looked at at once, and no other has', async () => {
  const { server, evaluator } = await scene();
  await evaluator.start();
  const policy = evaluator.current();
  expect(await policy.evaluate(ASKED)).toBe(true);
  expect(server.looks).toBe(1);
  const fine = server.evaluate;
  server.evaluate = rejecting(GONE);
  expect(await codeOf(Promise.resolve(policy.evaluate(ASKED)))).toBe('BACKEND_UNREACHABLE');
  expect(server.looks).toBe(2);
  await evaluator.check();
  expect(await codeOf(Promise.resolve(policy.list(ASKED, [])))).toBe('BACKEND_UNREACHABLE');
  expect(server.looks).toBe(3);
  await evaluator.check();
  server.evaluate = fine;
  await evaluator.close();
  server.evaluate = rejecting(GONE);
  expect(await codeOf(Promise.resolve(policy.evaluate(ASKED)))).toBe('BACKEND_UNREACHABLE');
  expect(server.looks).toBe(3);
});

test('a look that fails takes no policy away, before the server is silent', async () => {
  const { server, evaluator, read, problem } = await scene();
  await evaluator.start();
  server.evaluate = rejecting(GONE);
  await evaluator.check();
  expect(problem()).toBe('one');
  server.now_ms = SILENCE_MS_MAX + 1;
  expect(problem()).toBe('the policy server is silent: nobody listens');
  expect(await read()).toMatchObject([{ status: 'activated' }]);
});

test.each<[string, () => Promise<unknown>, string]>([
  ['lets nobody in', () => Promise.resolve(true), 'the policy does not deny nobody: allow'],
  [
    'breaks off here, and not there',
    rejecting(new PortcullisError('REQUEST_TOO_LARGE', 'too large')),
    'a self-test broke off',
  ],
])('a policy that %s decides no more at once, and is refused once', async (_what, act, why) => {
  const { server, evaluator, read, problem } = await scene();
  await evaluator.start();
  const fine = server.evaluate;
  server.evaluate = act;
  await evaluator.check();
  await evaluator.check();
  expect(problem()).toBe(`no policy is active: ${why}`);
  server.evaluate = fine;
  await evaluator.check();
  expect(problem()).toBe('one');
  expect(await read()).toMatchObject([
    { kind: 'activation', status: 'activated' },
    { kind: 'activation', status: 'refused', detail: `BUNDLE_REFUSED: ${why}` },
    { kind: 'activation', status: 'activated' },
  ]);
});

test('what is closed has no policy, and looks no more', async () => {
  const { server, evaluator, problem } = await scene({ poll_interval_ms: 1 });
  await evaluator.start();
  await evaluator.close();
  expect(server.closed).toBe(true);
  expect(problem()).toBe('no policy is active');
  // Timers of one length end in their order.
  await delay(1);
  expect(server.looks).toBe(1);
});

test.each<[string, (release: PromiseWithResolvers<void>) => void]>([
  ['finds another policy', ({ resolve }) => resolve()],
  ['fails', ({ reject }) => reject(GONE)],
])('a look that %s after the end changes nothing, and nobody hears of it', async (_what, act) => {
  const { server, evaluator, lines, problem } = await scene({ poll_interval_ms: 1 });
  await evaluator.start();
  const before = lines.length;
  let told = 0;
  evaluator.watch(() => (told += 1));
  const held = Promise.withResolvers<void>();
  const looking = Promise.withResolvers<void>();
  server.look = () => {
    looking.resolve();
    return held.promise;
  };
  server.revision = 'two';
  await looking.promise;
  const closed = evaluator.close();
  act(held);
  await closed;
  await delay(1);
  expect(problem()).toBe('no policy is active');
  expect(server.looks).toBe(2);
  expect(told).toBe(0);
  expect(lines).toHaveLength(before);
});

test('a server that does not decide at the start is not opened, and let go', async () => {
  const { server, parts } = await scene();
  server.look = rejecting(GONE);
  expect(await codeOf(openForeignEvaluator(parts))).toBe('BACKEND_UNREACHABLE');
  expect(server.closed).toBe(true);
});
