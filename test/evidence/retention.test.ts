/** Retention: what is sealed goes when its time is over, and the record of it stays. */
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { ProvableLog } from '../../src/evidence/types.ts';
import {
  ENTRY,
  type LoggedLine,
  openLog,
  readAll,
  recordingLogger,
  temporaryDirectory,
} from '../support/evidence_log.ts';
import { fakeDisk } from '../support/fake_disk.ts';
import { seededRandom } from '../support/seeded_random.ts';
import { namesOf } from './tree/fixture.ts';

const DAY_MS = 86_400_000;
const START_MS = Date.UTC(2027, 0, 1);

/** A log of which time and hours are ours; a record is appended each day. */
class Days {
  now_ms = START_MS;
  readonly directory = temporaryDirectory();
  readonly logged: LoggedLine[] = [];
  stopped = 0;
  #sweep = (): void => {};

  open(
    kept_days: number | null,
    changes: Parameters<typeof openLog>[1] = {},
  ): Promise<ProvableLog> {
    return openLog(this.directory, {
      clock: { now_ms: () => this.now_ms },
      log: recordingLogger(this.logged),
      every: (interval_ms, work) => {
        expect(interval_ms).toBe(3_600_000);
        this.#sweep = work;
        return () => (this.stopped += 1);
      },
      ...changes,
      settings: { disclosures_kept_days: kept_days, ...changes.settings },
    });
  }

  async append(log: ProvableLog, days: number): Promise<void> {
    for (let day = 0; day < days; day += 1) {
      await log.append(ENTRY);
      this.now_ms += DAY_MS;
    }
  }

  /** An hour passes; resolves when what that began is done: redactions wait for each other. */
  async hour(log: ProvableLog): Promise<void> {
    this.now_ms += DAY_MS / 24;
    this.#sweep();
    await log.redact({ caller: 'test', by: { record: 'none' } });
  }

  /** Begins what begins each hour. */
  sweep(): void {
    this.#sweep();
  }

  /** `+` for a record that has what it seals, `-` for one that lost it, `R` where that is told. */
  async look(): Promise<string> {
    const records = await readAll(this.directory);
    return records
      .filter(({ redaction }) => redaction?.by[0] !== 'record')
      .map(({ kind, detail }) => (kind === 'redaction' ? 'R' : detail ? '+' : '-'))
      .join('');
  }
}

test('what is older than the days goes at the start and each hour, by segments', async () => {
  const days = new Days();
  const first = await days.open(null);
  await days.append(first, 5);
  await first.close();
  expect(await days.look()).toBe('+++++');

  // The start finds a segment of five days whose last record is one day old.
  const log = await days.open(3);
  await days.hour(log);
  expect(await days.look()).toBe('+++++');
  await days.append(log, 2);
  await days.hour(log);
  await days.hour(log);
  expect(await days.look()).toBe('-----++R');
  const records = await readAll(days.directory);
  expect(records.find(({ kind }) => kind === 'redaction')).toMatchObject({ caller: 'test' });
  expect(records.find(({ redaction }) => redaction?.by[0] === 'retention')).toEqual({
    v: 1,
    index: expect.any(Number),
    time: expect.any(String),
    instance: 'one',
    kind: 'redaction',
    redaction: { groups: ['arguments', 'internals', 'items', 'request'], by: ['retention'] },
  });

  // Nothing is recorded where nothing is to be removed.
  await days.hour(log);
  expect(await days.look()).toBe('-----++R');
  await days.append(log, 4);
  await days.hour(log);
  expect(await days.look()).toBe('-------R++++R');
  await log.close();
  expect(days.stopped).toBe(1);
  const again = await days.open(3, { settings: { prove_all_records: true } });
  await again.close();
});

test('a segment ends after a day, so that a quiet log keeps nothing for longer', async () => {
  const days = new Days();
  const log = await days.open(3);
  await days.append(log, 3);
  days.sweep();
  while (namesOf(days.directory).length < 2) await new Promise(setImmediate);
  await days.append(log, 4);
  days.sweep();
  while ((await days.look()) !== '---++++R') await new Promise(setImmediate);
  await log.close();
});

test('a segment of a day or less goes on, however often it is looked at', async () => {
  const days = new Days();
  const log = await days.open(3);
  await log.append(ENTRY);
  const segments = (): number =>
    namesOf(days.directory).filter((name) => name.endsWith('.log')).length;
  for (let hour = 0; hour < 24; hour += 1) await days.hour(log);
  expect(segments()).toBe(1);
  await days.hour(log);
  expect(segments()).toBe(2);
  await log.close();
});

test('without a number of days all is kept', async () => {
  const days = new Days();
  const log = await days.open(null);
  await days.append(log, 40);
  await log.close();
  await (await days.open(null)).close();
  expect(await days.look()).toBe('+'.repeat(40));
  expect(days.stopped).toBe(0);
});

describe('by the timer of the process', () => {
  beforeEach(() => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate'] });
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  test('it is each hour until the log is closed', async () => {
    const swept: number[] = [];
    const clock = { now_ms: () => swept.push(Date.now()) };
    const directory = temporaryDirectory();
    const settings = { disclosures_kept_days: 1 };
    const log = await openLog(directory, { clock, settings });
    swept.length = 0;
    jest.advanceTimersByTime(3_600_000 - 1);
    expect(swept).toHaveLength(0);
    jest.advanceTimersByTime(1);
    expect(swept).toHaveLength(1);
    jest.advanceTimersByTime(2 * 3_600_000);
    expect(swept).toHaveLength(3);
    await log.close();
    swept.length = 0;
    jest.advanceTimersByTime(9 * 3_600_000);
    expect(swept).toHaveLength(0);
  });
});

describe('a sweep that fails', () => {
  test('is told, tried again, and stops nobody', async () => {
    const days = new Days();
    const disk = fakeDisk(seededRandom(1));
    const first = await days.open(null, { files: disk });
    await days.append(first, 1);
    await first.close();
    days.now_ms += 9 * DAY_MS;

    const { open } = disk;
    disk.open = (path, use) => {
      if (path.endsWith('.new') && path.includes('.log')) {
        throw Object.assign(new Error('full'), { code: 'ENOSPC' });
      }
      return open.call(disk, path, use);
    };
    const log = await days.open(3, { files: disk });
    await days.hour(log);
    expect(days.logged.filter(({ level }) => level === 'error')).toMatchObject([
      {
        message: 'sealed members outlive their time',
        fields: { error: { cause: { code: 'ENOSPC' } } },
      },
      { message: 'sealed members outlive their time' },
    ]);
    disk.open = open;
    await days.hour(log);
    await log.append(ENTRY);
    await log.close();
    const records = await readAll(days.directory, { files: disk });
    expect(records[0]).not.toHaveProperty('detail');
    expect(records.at(-1)).toHaveProperty('detail');
  });

  test('because the log closes is not told', async () => {
    const days = new Days();
    const first = await days.open(null);
    await days.append(first, 1);
    await first.close();
    days.now_ms += 9 * DAY_MS;
    await (await days.open(3)).close();
    expect(days.logged.filter(({ level }) => level === 'error')).toEqual([]);
  });
});
