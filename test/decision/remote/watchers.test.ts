/** Who watches a tenant hears of its policy, and nobody is looked after longer than that. */
import { afterEach, describe, expect, test } from '@jest/globals';
import type { Status } from '../../../src/contract/types.gen.ts';
import { Watchers, type Watcher } from '../../../src/decision/remote/watcher.ts';
import { ALLOWED, READY, recordingCore, start } from '../../pdp/fixture.ts';
import { codeOf } from '../../support/decisions.ts';
import { CALL, LIST, remote } from './fixture.ts';

const idle = (): Watcher => ({
  observe: () => undefined,
  observePolicy: () => undefined,
  add: () => () => undefined,
  close: () => undefined,
});
const nothing = (): void => undefined;

/** Watchers, and each that they made. */
function counted(): { watchers: Watchers; made: Watcher[] } {
  const made: Watcher[] = [];
  const create = (): Watcher => {
    const watcher = idle();
    made.push(watcher);
    return watcher;
  };
  return { watchers: new Watchers(create), made };
}

describe('the watcher of a tenant', () => {
  test('is there from the first that listens to the last', () => {
    const { watchers, made } = counted();
    expect(watchers.of('acme')).toBeUndefined();
    const [stop, stopLast] = [watchers.add(nothing, 'acme'), watchers.add(nothing, 'acme')];
    const watcher = watchers.of('acme');
    // The first is that of no tenant; both who listen have the second.
    expect(made.map((each) => each === watcher)).toEqual([false, true]);
    expect(watchers.of('globex')).toBeUndefined();
    stop();
    // Who stops twice is still one.
    stop();
    expect(watchers.of('acme')).toBe(watcher);
    stopLast();
    expect(watchers.of('acme')).toBeUndefined();
  });

  test('is another one for whoever comes after the last', () => {
    const watchers = new Watchers(idle);
    const stop = watchers.add(nothing, 'acme');
    stop();
    watchers.add(nothing, 'acme');
    const watcher = watchers.of('acme');
    stop();
    expect(watchers.of('acme')).toBe(watcher);
  });

  test('of no tenant is always the same', () => {
    const { watchers, made } = counted();
    const watcher = watchers.of(undefined);
    expect(made.map((each) => each === watcher)).toEqual([true]);
    watchers.add(nothing, undefined)();
    expect(watchers.of(undefined)).toBe(watcher);
  });
});

describe('of a decision point in another process', () => {
  const opened: { close(): unknown }[] = [];
  afterEach(async () => {
    for (const each of opened.splice(0).reverse()) await each.close();
  });

  const statusOf = (revision: string, digit: number): Status => ({
    ...READY,
    policy: { revision, digest: `sha256:${`${digit}`.repeat(64)}` },
  });
  const TENANT = 'acme & sons?';
  const subject = { ...CALL.subject, properties: { tenant: TENANT } };

  /** Its answers name the policy of the tenant. */
  async function scene(watch_interval_ms = 60_000) {
    const statuses = new Map<string | undefined, Status>([
      [undefined, READY],
      [TENANT, statusOf('of acme', 1)],
    ]);
    const asked: unknown[] = [];
    const answer = () => ({
      ...ALLOWED,
      context: { ...ALLOWED.context, policy: statuses.get(TENANT)?.policy },
    });
    const core = recordingCore({
      status: (tenant) => {
        asked.push(tenant);
        return statuses.get(tenant) ?? { ready: false, problem: 'the tenant has no policy' };
      },
      evaluation: async () => ({ body: answer(), evaluation_id: 'e' }),
      evaluations: async () => ({
        body: { evaluations: [answer(), answer()] },
        evaluation_id: 'e',
      }),
    });
    const service = await start(core);
    const point = remote({ url: service.url }, { watch_interval_ms, timeout_ms: 5_000 });
    opened.push(service, point);
    return { point, asked, statuses };
  }

  /** Resolves with what the next change tells. */
  function heard(point: ReturnType<typeof remote>, tenant: string): Promise<Status> {
    return new Promise((resolve) => point.watch(resolve, tenant));
  }

  test('the status is that of the tenant, whatever its name', async () => {
    const { point, asked } = await scene();
    expect(await point.describe({ tenant: TENANT })).toEqual(statusOf('of acme', 1));
    expect(await point.describe({ tenant: 'globex' })).toMatchObject({ ready: false });
    expect(await point.describe()).toEqual(READY);
    expect(asked).toEqual([TENANT, 'globex', undefined]);
  });

  test.each(['decide', 'discover'] as const)(
    'an answer of %s about a tenant that nobody watches is one',
    async (method) => {
      const { point } = await scene();
      const answer =
        method === 'decide'
          ? point.decide({ ...CALL, subject })
          : point.discover({ ...LIST, subject });
      expect(await codeOf(answer)).toBe('no error');
    },
  );

  test.each(['decide', 'discover'] as const)(
    'an answer of %s that names another policy of the tenant tells who watches it',
    async (method) => {
      const { point, statuses, asked } = await scene();
      const told = heard(point, TENANT);
      await point.describe({ tenant: TENANT });
      statuses.set(TENANT, statusOf('of acme again', 2));
      await (method === 'decide'
        ? point.decide({ ...CALL, subject })
        : point.discover({ ...LIST, subject }));
      expect(await told).toEqual(statusOf('of acme again', 2));
      expect(asked).toEqual([TENANT, TENANT]);
    },
  );

  test('a look at the interval is at the status of the tenant', async () => {
    const { point, statuses, asked } = await scene(10);
    const told = heard(point, TENANT);
    await point.describe({ tenant: TENANT });
    statuses.set(TENANT, statusOf('of acme again', 2));
    expect(await told).toEqual(statusOf('of acme again', 2));
    expect(new Set(asked)).toEqual(new Set([TENANT]));
  });
});
