/** An export that decisions depend on: required, and only so far behind. */
import { expect, test } from '@jest/globals';
import type { ExportDriver } from '../../../src/evidence/exports/types.ts';
import { decision, openScene, type Scene } from './fixture.ts';

/** A receiver that takes something only after it is told to. */
function gated(): { open: () => ExportDriver; take(): void } {
  let takes = false;
  return {
    take: () => void (takes = true),
    open: () => ({
      format: ({ index }) => String(index),
      deliver: async () =>
        takes
          ? { outcome: 'taken', rejected_records: 0 }
          : { outcome: 'away', reason: 'it is away' },
      close: async () => {},
    }),
  };
}

const HELD = 'the export `one` is required, and too far behind or stopped';

const append = (scene: Scene): Promise<number> => scene.exports.evidence.append(decision(99));

test('decisions are refused while it is too far behind, and until it has caught up', async () => {
  const { open, take } = gated();
  const scene = await openScene([{ open, required: true, lag_records_max: 3 }]);
  await scene.append(4);
  await expect(append(scene)).rejects.toMatchObject({
    code: 'EVIDENCE_UNWRITABLE',
    message: HELD,
  });
  expect(scene.exports.evidence.status()).toMatchObject({ writable: false, problem: HELD });
  take();
  await scene.eventually(() => scene.exports.evidence.status().writable);
  expect(await append(scene)).toBe(4);
  expect(scene.lines.filter(({ message }) => /decided|go on/.test(message))).toEqual([
    {
      level: 'error',
      message: 'nothing is decided until an export goes on',
      fields: { problem: HELD },
    },
    { level: 'info', message: 'the required exports go on', fields: undefined },
  ]);
});

test('one that is as far behind as it may be holds up nothing', async () => {
  const { open } = gated();
  const scene = await openScene([{ open, required: true, lag_records_max: 3 }]);
  await scene.append(3);
  expect(scene.exports.evidence.status()).toMatchObject({ writable: true });
  expect(await append(scene)).toBe(3);
  expect(scene.exports.evidence.status()).toMatchObject({ writable: false });
});

test('a list is refused as a decision is', async () => {
  const { open } = gated();
  const scene = await openScene([{ open, required: true, lag_records_max: 1 }]);
  await scene.append(2);
  const list = { kind: 'discovery', evaluation_id: 'evaluation-9' } as const;
  await expect(scene.exports.evidence.append(list)).rejects.toMatchObject({
    code: 'EVIDENCE_UNWRITABLE',
    message: HELD,
  });
});

test('what has happened is recorded all the same', async () => {
  const { open } = gated();
  const scene = await openScene([{ open, required: true, lag_records_max: 1 }]);
  await scene.append(2);
  await expect(append(scene)).rejects.toMatchObject({ code: 'EVIDENCE_UNWRITABLE' });
  const outcome = { kind: 'outcome', evaluation_id: 'evaluation-0', status: 'executed' } as const;
  expect(await scene.exports.evidence.append(outcome)).toBe(2);
});

test('one that has stopped refuses decisions', async () => {
  const open = (): ExportDriver => ({
    ...gated().open(),
    deliver: () => Promise.reject(new TypeError('a fault of ours')),
  });
  const scene = await openScene([{ open, required: true }]);
  await scene.append(1);
  await scene.eventually(() => !scene.exports.evidence.status().writable);
  await expect(append(scene)).rejects.toMatchObject({ code: 'EVIDENCE_UNWRITABLE' });
});

test('one that is not required may be as far behind as it is', async () => {
  const { open } = gated();
  const scene = await openScene([{ open, lag_records_max: 1 }]);
  await scene.append(9);
  expect(scene.exports.evidence.status()).toMatchObject({ writable: true });
});

test('without exports the log is what it was', async () => {
  const scene = await openScene([]);
  expect(scene.exports.evidence).toBe(scene.written);
  expect(scene.exports.evidence.status()).not.toHaveProperty('exports');
});
