/** What one batch may cost, and that it ends with its caller. */
import { setImmediate } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { digestOf } from '../../src/contract/digest.ts';
import type { ActivePolicy } from '../../src/decision/types.ts';
import {
  CALLER,
  callOf,
  codeOf,
  foreignBundle,
  sceneOf,
  type Scene,
} from '../support/decisions.ts';
import { describeWithOpa } from '../support/toolchain.ts';

const AUTHZ = 'package authz\nallow if input.subject.id == "alice"\n';

const BATCH = {
  subject: { type: 'user', id: 'alice' },
  action: { name: 'read' },
  resource: { type: 'todo', id: '1' },
};

const entries = (items: number): object[] => Array.from({ length: items }, () => ({}));

/** A scene whose policy tells, by a number from 1, when it is asked; it lists everything. */
async function toldScene(told: (number: number) => unknown, settings = {}): Promise<Scene> {
  const scene = await sceneOf(await foreignBundle(AUTHZ, ['authz/allow']), settings);
  const { policy } = scene;
  let number = 0;
  const telling: ActivePolicy = {
    identity: policy.identity,
    projection: policy.projection,
    activated_at: policy.activated_at,
    unsafe_allow_all: policy.unsafe_allow_all,
    async evaluate(input) {
      await told((number += 1));
      return policy.evaluate(input);
    },
    async list(_input, resources) {
      await told((number += 1));
      return resources.map((_, i) => i);
    },
  };
  scene.change(telling);
  return scene;
}

describeWithOpa('a batch', () => {
  test('that comes to more than the limit is refused before anything is decided', async () => {
    const asked: number[] = [];
    const told = (number: number): unknown => asked.push(number);
    const { core, records } = await toldScene(told, { batch_bytes_max: 1_000_000 });
    const context = { text: 'x'.repeat(10_000) };
    const shared = { ...BATCH, context, evaluations: entries(100) };
    await expect(core.evaluations(shared, CALLER)).rejects.toMatchObject({
      code: 'REQUEST_TOO_LARGE',
      pointer: '/evaluations',
      message:
        'the entries, each with what they share, come to more than batch_bytes_max (1000000)',
    });
    expect([asked, await records()]).toEqual([[], []]);
    const own = { ...BATCH, evaluations: [...entries(99), { context }] };
    expect(await codeOf(core.evaluations(own, CALLER))).toBe('no error');
    expect(asked).toHaveLength(100);
  });

  test('comes to the bytes of its completed entries', async () => {
    const own = { context: { text: 'é'.repeat(100) } };
    const bytes = [...Object.values(BATCH), ...Object.values(BATCH), own.context]
      .map((entity) => Buffer.byteLength(JSON.stringify(entity)))
      .reduce((sum, size) => sum + size);
    const codeUnder = async (batch_bytes_max: number): Promise<string> => {
      const { core } = await toldScene(() => undefined, { batch_bytes_max });
      return codeOf(core.evaluations({ ...BATCH, evaluations: [own, {}] }, CALLER));
    };
    expect(await codeUnder(bytes)).toBe('no error');
    expect(await codeUnder(bytes - 1)).toBe('REQUEST_TOO_LARGE /evaluations');
  });

  test('lets others have their turn after each entry', async () => {
    const turnsAt: number[] = [];
    let turns = 0;
    const { core } = await toldScene(() => turnsAt.push(turns));
    let isRunning = true;
    const others = (async () => {
      while (isRunning) {
        await setImmediate();
        turns += 1;
      }
    })();
    await core.evaluations({ ...BATCH, evaluations: entries(50) }, CALLER);
    isRunning = false;
    await others;
    expect(turnsAt).toHaveLength(50);
    expect(new Set(turnsAt).size).toBe(50);
  });

  test('ends when its caller goes: what was decided is recorded, nothing more is', async () => {
    const caller = new AbortController();
    const asked: number[] = [];
    const { core, records } = await toldScene((number) => {
      asked.push(number);
      if (number === 3) caller.abort();
    });
    const body = { ...BATCH, evaluations: entries(200) };
    const { signal } = caller;
    await expect(core.evaluations(body, CALLER, { signal })).rejects.toMatchObject({
      code: 'DECISION_POINT_UNREACHABLE',
      message: 'the call was given up',
    });
    expect(asked).toEqual([1, 2, 3]);
    const ids = (await records()).map(({ evaluation_id }) => evaluation_id);
    expect(ids).toEqual(['id-1#0', 'id-1#1', 'id-1#2']);
    expect(await codeOf(core.evaluations({ ...BATCH, evaluations: [{}] }, CALLER))).toBe(
      'no error',
    );
  });

  test('that is a list ends with its caller too, and is recorded as withheld', async () => {
    const caller = new AbortController();
    const asked: number[] = [];
    const { core, records } = await toldScene((number) => {
      asked.push(number);
      caller.abort();
    });
    const { subject, context, resource } = callOf();
    const list = {
      subject,
      action: { name: 'tools/list' },
      context: { ...context, phase: 'discovery' },
      evaluations: Array.from({ length: 1000 }, () => ({ resource })),
      options: { portcullis: { discovery: { catalogue_digest: digestOf([]) } } },
    };
    const { signal } = caller;
    expect(await codeOf(core.evaluations(list, CALLER, { signal }))).toBe(
      'DECISION_POINT_UNREACHABLE',
    );
    expect(asked).toEqual([1]);
    const [record, ...others] = await records();
    expect([record?.shown, record?.withheld?.length, record?.detail, others]).toEqual([
      [],
      1000,
      'the call was given up',
      [],
    ]);
  });
});
