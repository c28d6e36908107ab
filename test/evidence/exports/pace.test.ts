/** When an export waits and when not: for more records, for its receiver, and at the close. */
import { describe, expect, test } from '@jest/globals';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { openCursor } from '../../../src/evidence/exports/cursor.ts';
import { Exporter } from '../../../src/evidence/exports/exporter.ts';
import type { Delivery, ExportDriver, RecordSource } from '../../../src/evidence/exports/types.ts';
import { nodeFiles } from '../../../src/evidence/files.ts';
import type { StoredRecord } from '../../../src/evidence/segment.ts';
import {
  type LoggedLine,
  ORIGIN,
  recordingLogger,
  temporaryDirectory,
} from '../../support/evidence_log.ts';
import { EXPORT } from './fixture.ts';

const SETTINGS = { ...EXPORT, interval_ms: 7, batch_records_max: 4 };

interface Wait {
  ms: number;
  signal: AbortSignal;
  /** The time is over. */
  elapse(): void;
}

interface Paced {
  exporter: Exporter;
  /** Indices of each batch that was handed on. */
  batches: number[][];
  /** Those that were begun, and not over at once. */
  waits: Wait[];
  lines: LoggedLine[];
  /** How often the place was written. */
  readonly places: number;
  /** There are so many records, and the export hears of it. */
  grow(size: number): void;
  /** All is sent, and the export waits for more. */
  caughtUp(): Promise<void>;
}

interface PacedOptions {
  deliver?: ExportDriver['deliver'];
  format?: ExportDriver['format'];
  batch_records_max?: number;
}

async function eventually(holds: () => boolean): Promise<void> {
  while (!holds()) await nextTurn();
}

/** An export of a log in memory, with time that passes when it is told to. */
async function paced(options: PacedOptions = {}): Promise<Paced> {
  let size = 0;
  let places = 0;
  const batches: number[][] = [];
  const waits: Wait[] = [];
  const lines: LoggedLine[] = [];
  const source: RecordSource = {
    origin: ORIGIN,
    size: () => size,
    async *read(from, to) {
      for (let index = from; index < to; index += 1) {
        yield { record: { index }, leaf: Buffer.alloc(32, index) } as StoredRecord;
      }
    },
  };
  const files = {
    ...nodeFiles,
    rename(from: string, to: string) {
      places += 1;
      nodeFiles.rename(from, to);
    },
  };
  const driver: ExportDriver = {
    format: options.format ?? (({ index }) => String(index)),
    async deliver(texts, signal) {
      batches.push(texts.map(Number));
      return options.deliver?.(texts, signal) ?? { outcome: 'taken', rejected_records: 0 };
    },
    close: async () => {},
  };
  const { batch_records_max = SETTINGS.batch_records_max } = options;
  const exporter = new Exporter({
    driver,
    cursor: await openCursor(files, temporaryDirectory(), 'one', source),
    source,
    settings: { ...SETTINGS, batch_records_max },
    log: recordingLogger(lines),
    chance: () => 0,
    wait: (ms, signal) =>
      new Promise((resolve) => {
        if (signal.aborted) return resolve();
        waits.push({ ms, signal, elapse: resolve });
        signal.addEventListener('abort', () => resolve());
      }),
  });
  exporter.start();
  return {
    exporter,
    batches,
    waits,
    lines,
    get places() {
      return places;
    },
    grow(to) {
      size = to;
      exporter.wake();
    },
    async caughtUp() {
      await eventually(() => exporter.status().lag_records === 0);
      // After each batch it lets others have their turn.
      for (let turn = 0; turn < 2; turn += 1) await nextTurn();
    },
  };
}

const waited = ({ waits }: Paced): number[] => waits.map(({ ms }) => ms);

test('a batch that is not full waits for more records, and a full one does not', async () => {
  const scene = await paced();
  const { exporter, batches, waits } = scene;
  scene.grow(4);
  await scene.caughtUp();
  expect(batches).toEqual([[0, 1, 2, 3]]);
  expect(waited(scene)).toEqual([]);
  scene.grow(5);
  await eventually(() => waits.length > 0);
  expect(waited(scene)).toEqual([7]);
  scene.grow(6);
  waits[0]?.elapse();
  await scene.caughtUp();
  expect(batches.slice(1)).toEqual([[4, 5]]);
  await exporter.close();
});

test('its place is written once for each batch', async () => {
  const scene = await paced();
  scene.grow(12);
  await scene.caughtUp();
  await scene.exporter.close();
  expect(scene.batches).toHaveLength(3);
  expect(scene.places).toBe(3);
});

test('others have their turn after 32 records at most', async () => {
  let read = 0;
  const format = ({ index }: { index: number }): string => {
    read += 1;
    return String(index);
  };
  const scene = await paced({ format, batch_records_max: 200 });
  let most = 0;
  scene.grow(200);
  for (let before = 0; scene.batches.length === 0; before = read) {
    await nextTurn();
    most = Math.max(most, read - before);
  }
  expect(read).toBe(200);
  expect(most).toBeLessThanOrEqual(32);
  await scene.exporter.close();
});

describe('at the close', () => {
  test('where nothing is left it ends at once, without a word and without a timer', async () => {
    const scene = await paced();
    scene.grow(4);
    await scene.caughtUp();
    await scene.exporter.close();
    expect(waited(scene)).toEqual([SETTINGS.timeout_ms]);
    expect(scene.waits[0]?.signal.aborted).toBe(true);
    expect(scene.exporter.status()).toMatchObject({ stopped: false });
    expect(scene.lines).toEqual([]);
  });

  test('what is being sent is given up after the time of one answer, and not before', async () => {
    let sending: AbortSignal | undefined;
    const deliver = (_texts: readonly string[], signal: AbortSignal): Promise<Delivery> => {
      sending = signal;
      return new Promise((resolve) => {
        signal.addEventListener('abort', () => resolve({ outcome: 'away', reason: 'it hangs' }));
      });
    };
    const scene = await paced({ deliver });
    const { exporter, waits, lines } = scene;
    scene.grow(4);
    await eventually(() => sending !== undefined);
    const closed = exporter.close();
    await nextTurn();
    expect(sending?.aborted).toBe(false);
    expect(waited(scene)).toEqual([SETTINGS.timeout_ms]);
    waits[0]?.elapse();
    await closed;
    expect(sending?.aborted).toBe(true);
    await eventually(() => waits[0]?.signal.aborted === true);
    expect(exporter.status()).toMatchObject({ stopped: false, lag_records: 4 });
    expect(lines.map(({ level }) => level)).toEqual(['warn']);
  });
});
