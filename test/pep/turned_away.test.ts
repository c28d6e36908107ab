/** What evidence hears of callers that are turned away. */
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { admitCaller } from '../../src/pep/mcp/http_caller.ts';
import type { Refusal } from '../../src/identity/authenticator.ts';
import { TurnedAway } from '../../src/pep/turned_away.ts';
import { testParts, type TestParts } from './support/parts.ts';

const NOW_MS = Date.parse('2026-11-20T08:00:00Z');
const FIRST = {
  status: 'turned_away',
  reason_code: 'TOKEN_EXPIRED',
  source: 'jwt',
  server: 'payments',
  occurred_at: '2026-11-20T08:00:00.000Z',
};

describe('callers that are turned away', () => {
  let parts: TestParts;
  let turnedAway: TurnedAway;
  beforeEach(() => {
    jest.useFakeTimers({ now: NOW_MS, doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] });
    parts = { ...testParts(), clock: { now_ms: () => Date.now() } };
    turnedAway = new TurnedAway(parts);
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  test('are told at once the first time, and as a number when the interval is over', () => {
    for (let i = 0; i < 10_000; i += 1) turnedAway.count('jwt', 'TOKEN_EXPIRED');
    expect(parts.decisionPoint.turned_away).toStrictEqual([FIRST]);
    jest.advanceTimersByTime(60_000);
    const occurred_at = '2026-11-20T08:01:00.000Z';
    expect(parts.decisionPoint.turned_away).toEqual([
      FIRST,
      { ...FIRST, repeats: 9_999, occurred_at },
    ]);
  });

  test('are counted on while they come, and told at once after a pause', () => {
    turnedAway.count('jwt', 'TOKEN_EXPIRED');
    for (let minute = 0; minute < 3; minute += 1) {
      turnedAway.count('jwt', 'TOKEN_EXPIRED');
      jest.advanceTimersByTime(60_000);
    }
    jest.advanceTimersByTime(60_000);
    turnedAway.count('jwt', 'TOKEN_EXPIRED');
    const told = parts.decisionPoint.turned_away.map(({ repeats }) => repeats);
    expect(told).toEqual([undefined, 1, 1, 1, undefined]);
  });

  test('keep no timer once none came for an interval', async () => {
    turnedAway.count('jwt', 'TOKEN_EXPIRED');
    turnedAway.count('jwt', 'TOKEN_EXPIRED');
    jest.advanceTimersByTime(60_000);
    jest.advanceTimersByTime(60_000);
    await new Promise(setImmediate);
    expect(jest.getTimerCount()).toBe(0);
  });

  test('are told apart by source and reason', () => {
    turnedAway.count('jwt', 'TOKEN_EXPIRED');
    turnedAway.count('jwt', 'AUDIENCE_WRONG');
    turnedAway.count('host', 'TOKEN_EXPIRED');
    expect(parts.decisionPoint.turned_away).toHaveLength(3);
  });

  test('are told when the guard closes, each number once', async () => {
    for (const code of ['TOKEN_EXPIRED', 'AUDIENCE_WRONG', 'TOKEN_EXPIRED', 'TOKEN_EXPIRED']) {
      turnedAway.count('jwt', code);
    }
    await turnedAway.close();
    const told = () => parts.decisionPoint.turned_away.map(({ repeats }) => repeats);
    expect(told()).toEqual([undefined, undefined, 2]);
    await turnedAway.close();
    jest.advanceTimersByTime(120_000);
    expect(told()).toEqual([undefined, undefined, 2]);
  });

  test('where the server stands is told where it is configured', () => {
    new TurnedAway(parts, 'ide').count('jwt', 'TOKEN_EXPIRED');
    expect(parts.decisionPoint.turned_away).toEqual([{ ...FIRST, surface: 'ide' }]);
  });
});

describe('where the clock is ahead of the timers', () => {
  let now_ms: number;
  let turnedAway: TurnedAway;
  let told: () => (number | undefined)[];
  beforeEach(() => {
    jest.useFakeTimers({ now: NOW_MS, doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] });
    now_ms = NOW_MS;
    const parts = { ...testParts(), clock: { now_ms: () => now_ms } };
    turnedAway = new TurnedAway(parts);
    told = () => parts.decisionPoint.turned_away.map(({ repeats }) => repeats);
    for (let times = 0; times < 3; times += 1) turnedAway.count('jwt', 'TOKEN_EXPIRED');
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  test('the interval is over when the clock says so', () => {
    now_ms += 59_999;
    turnedAway.count('jwt', 'TOKEN_EXPIRED');
    expect(told()).toEqual([undefined]);
    now_ms += 1;
    turnedAway.count('jwt', 'TOKEN_EXPIRED');
    expect(told()).toEqual([undefined, 3, undefined]);
  });

  test('the next one is not cut short by the timer of the one before', () => {
    jest.advanceTimersByTime(30_000);
    now_ms += 60_000;
    turnedAway.count('jwt', 'TOKEN_EXPIRED');
    turnedAway.count('jwt', 'TOKEN_EXPIRED');
    jest.advanceTimersByTime(59_999);
    expect(told()).toEqual([undefined, 2, undefined]);
    jest.advanceTimersByTime(1);
    expect(told()).toEqual([undefined, 2, undefined, 1]);
  });
});

test('that it cannot be told changes nothing and is logged', async () => {
  const parts = testParts({ turnedAway: () => Promise.reject(new Error('gone')) });
  new TurnedAway(parts).count('jwt', 'TOKEN_EXPIRED');
  await new Promise(setImmediate);
  expect(parts.log.lines).toEqual([
    {
      level: 'warn',
      message: 'a refused caller was not reported',
      fields: { reason_code: 'TOKEN_EXPIRED', error: new Error('gone') },
    },
  ]);
});

test('a guard that closes waits until all is told, or for as long as it may take', async () => {
  const heard: ((told: void) => void)[] = [];
  const turned_away = () => new Promise<void>((resolve) => heard.push(resolve));
  const parts = testParts({ turnedAway: turned_away });
  const turnedAway = new TurnedAway(parts);
  turnedAway.count('jwt', 'TOKEN_EXPIRED');
  turnedAway.count('jwt', 'TOKEN_EXPIRED');
  let is_closed = false;
  const closed = turnedAway.close().then(() => (is_closed = true));
  while (heard.length < 2) await new Promise(setImmediate);
  expect(is_closed).toBe(false);
  for (const hear of heard) hear();
  expect(await closed).toBe(true);
  const silent = testParts({ turnedAway: turned_away }, { decision_timeout_ms: 1 });
  const other = new TurnedAway(silent);
  other.count('jwt', 'TOKEN_EXPIRED');
  await other.close();
  expect(silent.log.of('warn')).toEqual(['a refused caller was not reported']);
});

describe('at the door', () => {
  const asked = (code: Refusal['code'], told: string[]) => {
    const { log, identity } = testParts();
    const refusal = { ok: false, status: 401, error: 'invalid_token', code } as const;
    const authenticator = {
      authenticate: () => Promise.resolve(refusal),
      identity,
      resource: { challenge: () => 'Bearer' },
    } as unknown as NonNullable<Parameters<typeof admitCaller>[0]['authenticator']>;
    const turnedAway = { count: (...what: string[]) => void told.push(what.join(' ')) };
    const request = new Request('http://server.example/mcp', {
      headers: { authorization: 'Bearer canary/token' },
    });
    return admitCaller({ authenticator, identity, log, turnedAway }, request, {});
  };

  test('the reason is told, and the answer does not wait for anybody to hear it', async () => {
    const told: string[] = [];
    expect(await asked('SIGNATURE_WRONG', told)).toMatchObject({ status: 401 });
    expect(told).toEqual(['jwt SIGNATURE_WRONG']);
  });

  test('who brings no token is no failure', async () => {
    const told: string[] = [];
    await asked('TOKEN_ABSENT', told);
    expect(told).toEqual([]);
  });
});
