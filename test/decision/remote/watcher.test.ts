import { afterEach, expect, test } from '@jest/globals';
import type { Status } from '../../../src/contract/types.gen.ts';
import { ALLOWED, READY, recordingCore, start, type Started } from '../../pdp/fixture.ts';
import { CALL, LIST, remote } from './fixture.ts';

const opened: { close(): unknown }[] = [];
afterEach(async () => {
  for (const each of opened.splice(0).reverse()) await each.close();
});

const NEW_DIGEST = `sha256:${'1'.repeat(64)}`;
const CHANGED: Status = { ...READY, policy: { revision: 'r2', digest: NEW_DIGEST } };
const PROJECTED: Status = {
  ...READY,
  arguments_projection: { digest: NEW_DIGEST, pointers: { '*': [''] } },
};
const SILENT = { ready: false, problem: 'the decision point does not answer' };

interface Scene {
  service: Started;
  point: ReturnType<typeof remote>;
  told: Status[];
  asked(): number;
  set(status: Status): void;
  stop(): void;
}

async function watched(watch_interval_ms: number): Promise<Scene> {
  let status = READY;
  let asked = 0;
  const policy = () => ({ ...ALLOWED.context, policy: { ...CHANGED.policy, ...status.policy } });
  const core = recordingCore({
    status: () => {
      asked += 1;
      return status;
    },
    evaluation: async () => ({ body: { ...ALLOWED, context: policy() }, evaluation_id: 'e' }),
    evaluations: async () => ({
      body: { evaluations: [{ decision: true, context: policy() }, { decision: true }] },
      evaluation_id: 'e',
    }),
  });
  const service = await start(core);
  const point = remote({ url: service.url }, { watch_interval_ms });
  opened.push(service, point);
  await point.describe();
  const told: Status[] = [];
  const stop = point.watch((found) => told.push(found));
  const set = (next: Status): void => {
    status = next;
  };
  return { service, point, told, asked: () => asked, set, stop };
}

async function until(condition: () => boolean): Promise<void> {
  const deadline_ms = Date.now() + 2_000;
  while (!condition() && Date.now() < deadline_ms) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  expect(condition()).toBe(true);
}

test('each change of policy, projection and readiness is told once', async () => {
  const { told, set, asked } = await watched(10);
  const changes = [CHANGED, PROJECTED, { ready: false, problem: 'x' }, READY];
  for (const [index, status] of changes.entries()) {
    set(status);
    await until(() => told.length > index);
    const before = asked();
    await until(() => asked() > before + 2);
  }
  expect(told).toEqual(changes);
});

test('the age of a policy is no change', async () => {
  const { told, set, asked } = await watched(10);
  set({ ...READY, policy: { ...READY.policy, age_seconds: 7 } as Status['policy'] & object });
  const before = asked();
  await until(() => asked() > before + 3);
  expect(told).toEqual([]);
});

test.each(['decide', 'discover'] as const)(
  'an answer of %s that names another policy tells before the next look',
  async (method) => {
    const { told, set, point } = await watched(60_000);
    set(CHANGED);
    await (method === 'decide' ? point.decide(CALL) : point.discover(LIST));
    await until(() => told.length > 0);
    expect(told).toEqual([CHANGED]);
  },
);

test('silence is told once, and the return', async () => {
  const { told, service } = await watched(10);
  await service.close();
  await until(() => told.length > 0);
  expect(told).toEqual([SILENT]);
  opened.push(await start(recordingCore(), { listen: `127.0.0.1:${service.port}` }));
  await until(() => told.length > 1);
  expect(told).toEqual([SILENT, READY]);
});

test('nobody listening means nobody asking', async () => {
  const { stop, asked, told, set, point } = await watched(10);
  stop();
  await new Promise((resolve) => setTimeout(resolve, 50));
  const before = asked();
  set(CHANGED);
  await point.decide(CALL);
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect([asked(), told]).toEqual([before, []]);
});
