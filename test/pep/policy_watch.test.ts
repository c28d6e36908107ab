import { describe, expect, test } from '@jest/globals';
import type { CallOptions } from '../../src/contract/decision_point.ts';
import { PolicyWatch, PolicyWatches } from '../../src/pep/policy_watch.ts';
import { LogLines } from './support/parts.ts';
import { READY, ScriptedDecisionPoint, type Script } from './support/scripted.ts';

function watching(script: Script = {}, timeout_ms = 1000) {
  const point = new ScriptedDecisionPoint(script);
  const log = new LogLines();
  const watch = new PolicyWatch(point, timeout_ms, log);
  const told: string[] = [];
  const stop = watch.onChange(() => told.push('changed'));
  return { point, log, watch, told, stop };
}

describe('what a guard knows of the decision point', () => {
  test('is nothing until it asked or was told', async () => {
    const { point, watch, told } = watching();
    expect(watch.ready).toBeUndefined();
    expect(await watch.ask()).toEqual(READY);
    expect([watch.ready, told]).toEqual([READY, []]);
    point.announce({ ready: false });
    expect([watch.ready, told]).toEqual([undefined, ['changed']]);
    point.announce(READY);
    expect([watch.ready, told]).toEqual([READY, ['changed', 'changed']]);
  });

  test('is asked for once by all who wonder at the same time, and then again', async () => {
    let asked = 0;
    const { watch } = watching({
      describe: () => {
        asked += 1;
        return READY;
      },
    });
    await Promise.all([watch.ask(), watch.ask()]);
    expect(asked).toBe(1);
    await watch.ask();
    expect(asked).toBe(2);
  });

  test.each<[string, Script['describe'], unknown[]]>([
    [
      'no answer',
      () => Promise.reject(new Error('gone')),
      [
        'error',
        'the decision point cannot be asked for its status',
        { error: expect.objectContaining({ message: 'gone' }) },
      ],
    ],
    [
      'an answer of no shape',
      () => ({ ready: 'yes' }),
      [
        'error',
        'the status is malformed',
        { fault: { pointer: '/ready', keyword: 'type', problem: expect.any(String) } },
      ],
    ],
    ['not ready', () => ({ ready: false }), ['warn', 'the decision point is not ready', undefined]],
  ])('is nothing after %s, which operators read', async (_what, answer, line) => {
    const { point, watch, log } = watching();
    await watch.ask();
    expect(log.lines).toEqual([]);
    point.script.describe = answer!;
    expect([await watch.ask(), watch.ready]).toEqual([undefined, undefined]);
    expect(log.lines.map(({ level, message, fields }) => [level, message, fields])).toEqual([line]);
  });

  test('is given up with its question', async () => {
    const { point, watch } = watching({}, 10);
    let given: AbortSignal | undefined;
    const hang = (options?: CallOptions) => {
      given = options?.signal;
      return new Promise<never>(() => undefined);
    };
    Object.assign(point, { describe: hang });
    expect(await watch.ask()).toBeUndefined();
    expect(given?.aborted).toBe(true);
  });

  test('is told to whoever listens, until they stop or it closes', () => {
    const { point, watch, told, stop } = watching();
    const others: string[] = [];
    watch.onChange(() => others.push('changed'));
    stop();
    point.announce(READY);
    expect([told, others]).toEqual([[], ['changed']]);
    watch.close();
    point.announce({ ready: false });
    expect([told, others, watch.ready]).toEqual([[], ['changed'], READY]);
  });

  test('is told to nobody once it closed, whatever its decision point goes on to say', () => {
    const point = new ScriptedDecisionPoint();
    let say: (status: typeof READY) => void = () => undefined;
    point.watch = (listener) => {
      say = listener;
      return () => undefined;
    };
    const watch = new PolicyWatch(point, 1000, new LogLines());
    const told: string[] = [];
    watch.onChange(() => told.push('changed'));
    watch.close();
    say(READY);
    expect(told).toEqual([]);
  });
});

describe('what a guard knows for each of its tenants', () => {
  /** A guard that watches for two tenants at most, and the tenants that are watched. */
  function twoTenants() {
    const said = new Map<string | undefined, (status: typeof READY) => void>();
    const point = new ScriptedDecisionPoint();
    point.watch = (listener, tenant?: string) => {
      said.set(tenant, listener);
      return () => said.delete(tenant);
    };
    const settings = { decision_timeout_ms: 1000, tenants_max: 2 };
    const watches = new PolicyWatches(point, settings, new LogLines());
    const changed: unknown[] = [];
    const stop = watches.onChange((watch) => changed.push(watch));
    return { watches, said, changed, stop };
  }

  test('is watched for as many as the limit; who was not asked for longest makes room', () => {
    const { watches, said } = twoTenants();
    const [a, none] = [watches.of('a'), watches.of(undefined)];
    expect([watches.of('a'), watches.of(undefined)]).toEqual([a, none]);
    expect([watches.of('a') === a, [...said.keys()]]).toEqual([true, ['a', undefined]]);
    watches.of('b');
    expect([[...said.keys()], watches.of('a') === a]).toEqual([['a', 'b'], true]);
    expect(watches.of(undefined)).not.toBe(none);
    expect([...said.keys()]).toEqual(['a', undefined]);
  });

  test('is told with the watch that changed, until nobody listens', () => {
    const { watches, said, changed, stop } = twoTenants();
    const [a, b] = [watches.of('a'), watches.of('b')];
    said.get('b')?.(READY);
    said.get('a')?.(READY);
    expect([changed.length, changed[0] === b, changed[1] === a]).toEqual([2, true, true]);
    stop();
    said.get('b')?.(READY);
    expect(changed).toHaveLength(2);
  });

  test('is nothing more once it closed', () => {
    const { watches, said, changed } = twoTenants();
    watches.of('a');
    watches.close();
    expect([...said.keys()]).toEqual([]);
    // One who asks all the same is served, and nobody hears of it.
    watches.of('c');
    said.get('c')?.(READY);
    expect(changed).toEqual([]);
  });
});
