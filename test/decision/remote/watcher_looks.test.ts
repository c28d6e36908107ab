/** When a watcher looks, and what it takes for a change: without a network. */
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import type { Status } from '../../../src/contract/types.gen.ts';
import { createWatcher, type Watcher } from '../../../src/decision/remote/watcher.ts';
import { DIGEST, READY } from '../../pdp/fixture.ts';
import { remote } from './fixture.ts';

const OTHER = `sha256:${'1'.repeat(64)}`;
const POLICY = { revision: 'r', digest: DIGEST };
const PROJECTION = { digest: DIGEST, pointers: {} };
const SILENT = { ready: false, problem: 'the decision point does not answer' };

const INTERVAL_MS = 1000;

const opened: Watcher[] = [];
beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate'] });
});
afterEach(() => {
  for (const each of opened.splice(0)) each.close();
  jest.useRealTimers();
});

/** A watcher whose looks wait to be answered. */
function looking() {
  const looks: { answer(status?: Status): Promise<void> }[] = [];
  const told: Status[] = [];
  const watcher = createWatcher(() => {
    const look = Promise.withResolvers<void>();
    looks.push({
      async answer(status) {
        if (status) watcher.observe(status);
        if (status) look.resolve();
        else look.reject(new Error('silence'));
        await new Promise((resolve) => setImmediate(resolve));
      },
    });
    return look.promise;
  }, INTERVAL_MS);
  opened.push(watcher);
  return { watcher, looks, told, listen: () => watcher.add((status) => told.push(status)) };
}

test('it looks once at a time, and again after an answer or silence', async () => {
  const { watcher, looks, told, listen } = looking();
  listen();
  for (let round = 1; round <= 3; round += 1) {
    watcher.observePolicy(OTHER);
    watcher.observePolicy(OTHER);
    expect(looks).toHaveLength(round);
    await looks.at(-1)?.answer(round === 2 ? undefined : READY);
  }
  expect(told).toEqual([SILENT, READY]);
});

test('it looks where an answer names another policy than it knows, and only there', async () => {
  const { watcher, looks, listen } = looking();
  watcher.observePolicy(OTHER);
  expect(looks).toHaveLength(0);
  const stop = listen();
  watcher.observePolicy(undefined);
  expect(looks).toHaveLength(0);
  watcher.observePolicy(DIGEST);
  expect(looks).toHaveLength(1);
  await looks[0]?.answer(READY);
  watcher.observePolicy(DIGEST);
  watcher.observePolicy(undefined);
  expect(looks).toHaveLength(1);
  watcher.observe({ ready: false });
  watcher.observePolicy(DIGEST);
  expect(looks).toHaveLength(2);
  stop();
  watcher.observePolicy(OTHER);
  expect(looks).toHaveLength(2);
});

test('one that listens keeps it looking when another one stops', async () => {
  const { looks, listen } = looking();
  const [stop, stopLast] = [listen(), listen()];
  const looksOnceMore = async (): Promise<boolean> => {
    await looks.at(-1)?.answer(READY);
    const before = looks.length;
    jest.advanceTimersByTime(INTERVAL_MS);
    return looks.length > before;
  };
  stop();
  expect(await looksOnceMore()).toBe(true);
  stopLast();
  expect(await looksOnceMore()).toBe(false);
  listen();
  expect(await looksOnceMore()).toBe(true);
});

test.each<[string, Status, Status, boolean]>([
  ['readiness', READY, { ...READY, ready: false }, true],
  ['the policy', READY, { ...READY, policy: { ...POLICY, digest: OTHER } }, true],
  ['a policy that goes', READY, { ready: true, arguments_projection: PROJECTION }, true],
  [
    'a policy for a projection',
    { ready: true, policy: POLICY },
    { ready: true, arguments_projection: PROJECTION },
    true,
  ],
  ['the duties that are known', READY, { ...READY, obligations: [] }, false],
])('whether %s is a change', (_what, before, after, isChange) => {
  const { watcher, told, listen } = looking();
  listen();
  watcher.observe(before);
  watcher.observe(before);
  watcher.observe(after);
  expect(told).toEqual(isChange ? [after] : []);
});

test('who was listening hears nothing once it is closed', async () => {
  const { watcher, told, listen, looks } = looking();
  listen();
  watcher.observe(READY);
  watcher.close();
  watcher.observe({ ...READY, ready: false });
  watcher.observePolicy(OTHER);
  jest.advanceTimersByTime(INTERVAL_MS);
  expect([told, looks]).toEqual([[], []]);
});

test('a decision point that is closed looks no more', async () => {
  const point = remote({ url: 'http://127.0.0.1:1' });
  point.watch(() => undefined);
  expect(jest.getTimerCount()).toBe(1);
  await point.close();
  expect(jest.getTimerCount()).toBe(0);
});
