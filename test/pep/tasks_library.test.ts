/** Tasks under the library of policies, by a real core: what an author grants, and takes back. */
import { join } from 'node:path';
import { afterEach, expect, test } from '@jest/globals';
import { layPolicyData, readBundle } from '../../src/bundle/bundle.ts';
import { readFiles } from '../../src/bundle/files.ts';
import { createGuard } from '../../src/pep/mcp/guard.ts';
import { DEFAULTS } from '../support/defaults.ts';
import { activate, evidenceOnDisk, sceneWith } from '../support/decisions.ts';
import { LogLines, testParts } from './support/parts.ts';
import { embedded } from './support/real.ts';
import { HELLO } from './support/rig.ts';
import { buildTasks, cleanDesks, newDesk, REPORT } from './support/tasks_1.ts';
import { TestWire, type Told } from './support/wire.ts';
import { closeWorlds, keep } from './support/worlds.ts';

afterEach(closeWorlds);
afterEach(cleanDesks);

const CAPABILITY = 'tool:payments/report';
const ENTRY = {
  environment: 'production',
  risk: 'low',
  approved: true,
  data_classes: ['public', 'personal'],
  fields_by_class: { public: ['/account'] },
};

/** Reports of up to so much; undefined = none. */
const upTo = (limit: number | undefined) => ({
  registry: { [CAPABILITY]: ENTRY },
  grants:
    limit === undefined
      ? []
      : [{ to: { group: 'tellers' }, on: CAPABILITY, within: { '/amount': { at_most: limit } } }],
});

async function rig() {
  const file = join(import.meta.dirname, '../../bundles/mcp.tar.gz');
  const library = await readFiles(file, DEFAULTS.policy);
  const { evidence, read } = await evidenceOnDisk();
  const policyOf = (data: object) =>
    activate(layPolicyData(readBundle(library), data as never), evidence);
  const scene = sceneWith(await policyOf(upTo(100)), evidence, read);
  const parts = {
    ...testParts({}, { decision_timeout_ms: 5_000 }),
    decisionPoint: keep(embedded(scene.core)),
    log: new LogLines(),
  };
  const desk = newDesk();
  const wire = new TestWire();
  await createGuard(parts)(buildTasks(desk)).connect(wire);
  await wire.ask('hello', 'initialize', HELLO);
  const make = (id: number, amount: number) =>
    wire.askFor(id, 'tools/call', { name: 'report', arguments: { amount }, task: {} });
  const change = async (limit: number | undefined) => scene.change(await policyOf(upTo(limit)));
  return { wire, desk, make, change, records: scene.records };
}

const reasonOf = ({ error }: Told) => error.data.reason_code;

test('a grant on a tool covers what becomes of its calls, within its region', async () => {
  const { wire, desk, make, records } = await rig();
  expect((await make(1, 101)).result.isError).toBe(true);
  const { taskId } = (await make(2, 100)).result.task;
  await desk.working[0]!.complete().catch(() => undefined);
  expect((await wire.askFor(3, 'tasks/get', { taskId })).result.status).toBe('completed');
  const { result } = await wire.askFor(4, 'tasks/result', { taskId });
  expect(result.structuredContent).toEqual(REPORT);
  expect((await wire.askFor(5, 'tasks/list')).result.tasks).toHaveLength(1);
  const kept = await records();
  const asked = kept.flatMap(({ kind, request }) => (kind === 'outcome' ? [] : [request?.action]));
  expect(new Set(asked)).toEqual(
    new Set(['tools/call', 'tasks/get', 'tasks/result', 'tasks/list']),
  );
});

test('a lowered limit keeps the result back, and lets the owner stop', async () => {
  const { wire, desk, make, change } = await rig();
  const { taskId } = (await make(1, 100)).result.task;
  await change(99);
  expect(reasonOf(await wire.askFor(2, 'tasks/get', { taskId }))).toBe('POLICY_DENIED');
  expect((await wire.askFor(3, 'tasks/cancel', { taskId })).result.status).toBe('cancelled');
  expect((await desk.store.getTask(taskId))?.status).toBe('cancelled');
});

test('a grant that was taken back takes the task with it', async () => {
  const { wire, desk, make, change } = await rig();
  const { taskId } = (await make(1, 100)).result.task;
  await change(undefined);
  for (const method of ['tasks/get', 'tasks/result', 'tasks/cancel']) {
    const told = await wire.ask(2, method, { taskId });
    const unknown = await wire.ask(2, method, { taskId: 'none' });
    expect(told.replaceAll(taskId, 'none')).toBe(unknown);
  }
  expect((await wire.askFor(3, 'tasks/list')).result.tasks).toEqual([]);
  expect((await desk.store.getTask(taskId))?.status).toBe('working');
});
