/** How an export reads, waits, tries again, and tells of it. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import type { Delivery, ExportDriver } from '../../../src/evidence/exports/types.ts';
import { nodeFiles } from '../../../src/evidence/files.ts';
import { openScene, type Scene } from './fixture.ts';

const TAKEN: Delivery = { outcome: 'taken', rejected_records: 0 };
const away = (after_ms?: number): Delivery => ({
  outcome: 'away',
  reason: 'it is away',
  ...(after_ms !== undefined && { after_ms }),
});

interface Scripted {
  /** Indices of each batch that was handed on. */
  batches: number[][];
  open: () => ExportDriver;
}

/** A driver that answers as it is told, batch after batch, and then takes all. */
function scripted(...answers: (Delivery | Error | ((batch: number[]) => Delivery))[]): Scripted {
  const batches: number[][] = [];
  const open = (): ExportDriver => ({
    format: ({ index, kind }) => (kind === 'decision' ? String(index) : undefined),
    async deliver(texts) {
      const batch = texts.map(Number);
      batches.push(batch);
      const answer = answers.length > 1 ? answers.shift() : (answers[0] ?? TAKEN);
      if (answer instanceof Error) throw answer;
      return typeof answer === 'function' ? answer(batch) : (answer as Delivery);
    },
    close: async () => {},
  });
  return { batches, open };
}

const statusOf = (scene: Scene) => scene.exports.evidence.status().exports![0]!;
const caughtUp = (scene: Scene) => scene.eventually(() => statusOf(scene).lag_records === 0);

test('batches hold no more records, and no more bytes, than they may', async () => {
  const { batches, open } = scripted();
  const scene = await openScene([{ open, batch_records_max: 3 }]);
  await scene.append(7);
  await caughtUp(scene);
  expect(batches.every(({ length }) => length <= 3)).toBe(true);
  expect(batches.flat()).toEqual([0, 1, 2, 3, 4, 5, 6]);
  const small = scripted();
  const next = await openScene([{ open: small.open, name: 'two', batch_bytes_max: 4 }], {
    directory: (await closed(scene)).directory,
  });
  await caughtUp(next);
  expect(small.batches).toEqual([[0, 1], [2, 3], [4, 5], [6]]);
});

async function closed(scene: Scene): Promise<Scene> {
  await scene.close();
  return scene;
}

test('a record that is larger than a batch goes alone', async () => {
  const { batches, open } = scripted();
  const scene = await openScene([{ open, batch_bytes_max: 1 }]);
  await scene.append(3);
  await caughtUp(scene);
  expect(batches).toEqual([[0], [1], [2]]);
});

test('kinds that are not for the receiver are passed over, and count as sent', async () => {
  const { batches, open } = scripted();
  const scene = await openScene([{ open }]);
  await scene.exports.evidence.append({ kind: 'start' });
  await scene.append(1);
  await scene.exports.evidence.append({ kind: 'stop' });
  await caughtUp(scene);
  expect(batches).toEqual([[1]]);
  expect(placeOf(scene)).toMatchObject({ next: 3, gaps: [] });
});

const placeOf = ({ directory }: Scene): Record<string, unknown> =>
  JSON.parse(readFileSync(join(directory, 'exports', 'one.json'), 'utf8')) as Record<
    string,
    unknown
  >;

describe('after a failure', () => {
  test('waits double up to the longest, each shortened at random', async () => {
    const answers = Array.from({ length: 6 }, () => away());
    const { open } = scripted(...answers, TAKEN);
    const scene = await openScene([{ open, retry_interval_ms_max: 700 }], { chance: 0.5 });
    await scene.append(1);
    await caughtUp(scene);
    const waits = scene.waits.filter((ms) => ms > 1);
    expect(waits).toEqual([100, 200, 400, 700, 700, 700].map((ms) => ms * 0.75));
  });

  test('a receiver that names a longer wait has it', async () => {
    const { open } = scripted(away(5000), TAKEN);
    const scene = await openScene([{ open }]);
    await scene.append(1);
    await caughtUp(scene);
    expect(scene.waits.filter((ms) => ms > 1)).toEqual([5000]);
  });

  test('it is told once, and that it is over', async () => {
    const { open } = scripted(away(), away(), away(), TAKEN);
    const scene = await openScene([{ open }]);
    await scene.append(1);
    await caughtUp(scene);
    expect(scene.lines.filter(({ fields }) => fields?.export === 'one')).toEqual([
      {
        level: 'warn',
        message: 'an export of the evidence waits',
        fields: { export: 'one', reason: 'it is away' },
      },
      {
        level: 'info',
        message: 'an export of the evidence goes on',
        fields: { export: 'one' },
      },
    ]);
  });

  test('what nobody foresaw stops the export, loudly, and no decision', async () => {
    const { open } = scripted(new TypeError('a fault of ours'));
    const scene = await openScene([{ open }]);
    await scene.append(1);
    await scene.eventually(() => statusOf(scene).stopped);
    await scene.append(1);
    expect(statusOf(scene)).toMatchObject({ lag_records: 2, problem: 'an unexpected error' });
    expect(scene.lines.filter(({ level }) => level === 'error')).toEqual([
      {
        level: 'error',
        message: 'an export of the evidence has stopped',
        fields: { export: 'one', error: expect.objectContaining({ message: 'a fault of ours' }) },
      },
    ]);
  });
});

describe('what is refused', () => {
  test('is halved, until what is refused stands alone', async () => {
    const refuse = (batch: number[]): Delivery =>
      batch.includes(2) ? { outcome: 'refused', reason: 'it is poison' } : TAKEN;
    const { batches, open } = scripted(refuse);
    const scene = await openScene([{ open, interval_ms: 1 }], { patient: true });
    await scene.append(4);
    await caughtUp(scene);
    const accepted = batches.filter((batch) => !batch.includes(2));
    expect(accepted.flat()).toEqual([0, 1, 3]);
    expect(statusOf(scene).gaps).toEqual([
      { first: 2, last: 2, records: 1, reason: 'it is poison' },
    ]);
  });

  test('neighbours with one reason are one gap', async () => {
    const { open } = scripted({ outcome: 'refused', reason: 'it takes nothing' });
    const scene = await openScene([{ open }]);
    await scene.append(9);
    await caughtUp(scene);
    const gap = { first: 0, last: 8, records: 9, reason: 'it takes nothing' };
    expect(statusOf(scene)).toMatchObject({ gap_records: 9, gaps: [gap] });
    expect(placeOf(scene)).toMatchObject({ next: 9, gaps: [gap] });
  });

  test('records that a receiver says it left out of a batch are a gap in it', async () => {
    const { open } = scripted({ outcome: 'taken', rejected_records: 2 }, TAKEN);
    const scene = await openScene([{ open }]);
    await scene.append(4);
    await caughtUp(scene);
    expect(statusOf(scene)).toMatchObject({
      gap_records: 2,
      gaps: [{ first: 0, records: 2, reason: 'it left records of a batch out' }],
    });
  });
});

test('two exports go at their own speeds', async () => {
  const slow = scripted(away());
  const fast = scripted();
  const scene = await openScene(
    [
      { ...slow, name: 'slow' },
      { ...fast, name: 'fast' },
    ],
    { patient: true },
  );
  await scene.append(6);
  const exports = () => scene.exports.evidence.status().exports!;
  await scene.eventually(() => exports()[1]?.lag_records === 0 && slow.batches.length > 0);
  expect(exports()[0]).toMatchObject({ name: 'slow', lag_records: 6 });
  expect(fast.batches.flat()).toEqual([0, 1, 2, 3, 4, 5]);
});

test('a place that cannot be written is tried again, and nothing is sent twice', async () => {
  let failures = 3;
  const files = {
    ...nodeFiles,
    rename(from: string, to: string) {
      if (to.endsWith('one.json') && failures-- > 0) {
        throw Object.assign(new Error('told to'), { code: 'ENOSPC' });
      }
      nodeFiles.rename(from, to);
    },
  };
  const { batches, open } = scripted();
  const scene = await openScene([{ open }], { files });
  await scene.append(2);
  await scene.append(2);
  await caughtUp(scene);
  expect(batches.flat()).toEqual([0, 1, 2, 3]);
  expect(scene.lines).toContainEqual({
    level: 'warn',
    message: 'an export of the evidence waits',
    fields: { export: 'one', reason: 'its place cannot be written: the disk is full' },
  });
});

test('what stands before a damaged record is sent, and then the export stops', async () => {
  // The log was proved when it was opened; it is changed behind its back.
  const damage = (): Delivery => {
    const segment = join(scene.directory, 'evidence', `${'0'.repeat(16)}.log`);
    const text = readFileSync(segment, 'utf8');
    writeFileSync(segment, text.replace('evaluation-5', 'evaluation-9'));
    return TAKEN;
  };
  const { batches, open } = scripted(damage, TAKEN);
  const scene = await openScene([{ open }]);
  await scene.append(8);
  await scene.eventually(() => statusOf(scene).stopped);
  expect(batches.flat()).toEqual([0, 1, 2, 3, 4]);
  expect(statusOf(scene).problem).toMatch(/line 6 of .* is not what was written/);
});

describe('at the close', () => {
  test('what is left is sent, without waiting for more', async () => {
    const { batches, open } = scripted();
    const scene = await openScene([{ open, interval_ms: 3_600_000 }], { patient: true });
    await scene.append(2);
    await scene.close();
    expect(batches.flat()).toEqual([0, 1]);
  });

  test('a receiver that is away is not waited for', async () => {
    const { batches, open } = scripted(away());
    const scene = await openScene([{ open }], { patient: true });
    await scene.append(2);
    await scene.eventually(() => batches.length > 0);
    await scene.close();
    expect(batches).toHaveLength(1);
  });
});
