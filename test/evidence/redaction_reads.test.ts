/** What redaction and retention look at, and what they leave alone: the log as files, by hand. */
import { appendFileSync, readFileSync, truncateSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { nodeFiles } from '../../src/evidence/files.ts';
import { type RedactedLog, Redactions } from '../../src/evidence/redaction.ts';
import type { EvidenceEntry } from '../../src/evidence/types.ts';
import { openLog, readDisclosed, temporaryDirectory } from '../support/evidence_log.ts';

const START_MS = Date.UTC(2027, 0, 1);
const DAY_MS = 86_400_000;
const ENTRY: EvidenceEntry = {
  kind: 'decision',
  request: { subject: { id: 'alice' }, action: 'tools/call' },
};

/** A log of which the disk is one of this machine, and the writer stands still. */
class Still implements RedactedLog {
  readonly directory = temporaryDirectory();
  readonly appended: EvidenceEntry[] = [];
  /** Names of what was opened to be read. */
  opened: string[] = [];
  ended = 0;
  problem: Error | undefined;
  /** Is done when something was opened, or appended. */
  act = (_what: 'opened' | 'appended'): void => {};
  files = {
    ...nodeFiles,
    open: (...[path, use]: Parameters<(typeof nodeFiles)['open']>) => {
      if (use === 'read') this.opened.push(basename(path));
      this.act('opened');
      return nodeFiles.open(path, use);
    },
  };
  #size = 0;

  /** Writes a record a day. */
  async write(records: number, segment_bytes_max: number, entry = ENTRY): Promise<void> {
    let now_ms = START_MS;
    const settings = { segment_bytes_max };
    const log = await openLog(this.directory, { clock: { now_ms: () => now_ms }, settings });
    for (; this.#size < records; this.#size += 1, now_ms += DAY_MS) await log.append(entry);
    await log.close();
  }

  /** As if the writer had not written beyond that. */
  endAt(size: number): this {
    this.#size = size;
    return this;
  }

  append(entry: EvidenceEntry): Promise<number> {
    this.act('appended');
    return Promise.resolve(this.appended.push(entry));
  }

  size(): number {
    return this.#size;
  }

  endSegment(): Promise<number> {
    this.ended += 1;
    return Promise.resolve(this.#size);
  }

  requireWritable(): void {
    if (this.problem) throw this.problem;
  }

  /** `+` for a record that has what it sealed, `-` for another. */
  look(): string {
    return readDisclosed(this.directory)
      .map(({ length }) => (length > 0 ? '+' : '-'))
      .join('');
  }
}

const nameOf = (first: number): string => `${String(first).padStart(16, '0')}.log`;
const dayOf = (day: number): string => new Date(START_MS + day * DAY_MS).toISOString();

async function still(records: number, segment_bytes_max = 1): Promise<Still> {
  const log = new Still();
  await log.write(records, segment_bytes_max);
  return log;
}

describe('a redaction', () => {
  test('looks at nothing that is written behind the end that it began with', async () => {
    const log = (await still(6)).endAt(4);
    const redactions = new Redactions(log);
    const by = { subject: 'alice' };
    expect(await redactions.redact({ caller: 'main', by })).toMatchObject({ records: 4 });
    expect(log.look()).toBe('----++');
    expect(new Set(log.opened)).toEqual(new Set([0, 1, 2, 3].map(nameOf)));
    expect(log.ended).toBe(0);
  });

  test('looks at nothing behind the first record that is not before its time', async () => {
    const log = await still(6);
    const redactions = new Redactions(log);
    const redaction = { caller: 'main', by: { before: dayOf(2) } };
    expect(await redactions.redact(redaction)).toMatchObject({ records: 2 });
    expect(log.look()).toBe('--++++');
    expect(new Set(log.opened)).toEqual(new Set([0, 1, 2].map(nameOf)));
  });

  test('finds a subject behind members that are null', async () => {
    const log = new Still();
    await log.write(1, 1, { ...ENTRY, arguments: { a: null } });
    const by = { subject: 'alice' };
    expect(await new Redactions(log).redact({ caller: 'main', by })).toMatchObject({ records: 1 });
    expect(log.look()).toBe('-');
  });

  test('of tenants leaves records of none', async () => {
    const log = await still(2);
    const redaction = { caller: 'main', by: { subject: 'alice' }, tenants: new Set(['', 'acme']) };
    expect(await new Redactions(log).redact(redaction)).toMatchObject({ records: 0 });
    expect(log.look()).toBe('++');
  });

  test('refuses a segment that ends in the middle of a line', async () => {
    const log = await still(2, 100_000);
    const path = join(log.directory, nameOf(0));
    truncateSync(path, readFileSync(path).length - 9);
    const redacted = new Redactions(log).redact({ caller: 'main', by: { subject: 'alice' } });
    await expect(redacted).rejects.toMatchObject({
      code: 'EVIDENCE_DAMAGED',
      message: `line 2 of \`${path}\` is not what was written`,
    });
    expect(log.appended).toEqual([]);
  });

  test('does nothing once the log refuses what is written', async () => {
    const log = await still(2);
    log.problem = new Error('the log is closed');
    const redactions = new Redactions(log);
    const redacted = redactions.redact({ caller: 'main', by: { subject: 'alice' } });
    const expired = redactions.expire(START_MS + 99 * DAY_MS, 0);
    await expect(redacted).rejects.toMatchObject({ cause: log.problem });
    await expect(expired).rejects.toMatchObject({ cause: log.problem });
    expect(log.opened).toEqual([]);
    expect(log.look()).toBe('++');
  });
});

test('a redaction is at work until what it wrote is durable', async () => {
  const log = await still(2);
  const { promise: flushed, resolve: flush } = Promise.withResolvers<void>();
  log.files.flushDirectory = () => flushed;
  const redactions = new Redactions(log);
  const redacted = redactions.redact({ caller: 'main', by: { subject: 'alice' } });
  let is_idle = false;
  const idle = redactions.idle().then(() => (is_idle = true));
  while (log.appended.length === 0) await new Promise(setImmediate);
  for (let turn = 0; turn < 9; turn += 1) await new Promise(setImmediate);
  expect(is_idle).toBe(false);
  flush();
  await redacted;
  expect(await idle).toBe(true);
});

describe('a log that closes meanwhile', () => {
  const closing = async (at: 'opened' | 'appended') => {
    const log = await still(3);
    log.act = (what) => {
      if (what === at) log.problem = new Error('the log is closed');
    };
    return { log, redactions: new Redactions(log) };
  };
  const by = { subject: 'alice' };

  test.each([
    ['a redaction', (redactions: Redactions) => redactions.redact({ caller: 'main', by })],
    ['retention', (redactions: Redactions) => redactions.expire(START_MS + 99 * DAY_MS, 0)],
  ])('is looked at no further by %s', async (_what, redact) => {
    const { log, redactions } = await closing('opened');
    await expect(redact(redactions)).rejects.toMatchObject({
      cause: { message: 'the log is closed' },
    });
    expect(new Set(log.opened).size).toBe(1);
    expect(log.appended).toEqual([]);
  });

  test('keeps what was to be removed', async () => {
    const { log, redactions } = await closing('appended');
    await expect(redactions.redact({ caller: 'main', by })).rejects.toMatchObject({
      cause: { message: 'the log is closed' },
    });
    expect(log.look()).toBe('+++');
  });
});

describe('retention', () => {
  const DAY = 3;
  const NOW_MS = START_MS + 6 * DAY_MS;

  test('keeps what is exactly as old as that, and opens nothing behind it', async () => {
    const log = await still(6);
    const redactions = new Redactions(log);
    await redactions.expire(NOW_MS, DAY * DAY_MS);
    expect(log.look()).toBe('---+++');
    expect(log.opened).not.toContain(nameOf(4));
    expect(log.appended).toEqual([
      {
        kind: 'redaction',
        redaction: { groups: ['arguments', 'internals', 'items', 'request'], by: ['retention'] },
      },
    ]);
  });

  test('does not look again at what it emptied', async () => {
    const log = await still(6);
    const redactions = new Redactions(log);
    await redactions.expire(NOW_MS, DAY * DAY_MS);
    log.opened = [];
    await redactions.expire(NOW_MS, DAY * DAY_MS);
    expect([0, 1, 2].map(nameOf).filter((name) => log.opened.includes(name))).toEqual([]);
    expect(log.opened).toContain(nameOf(3));
    await redactions.expire(NOW_MS + DAY_MS, DAY * DAY_MS);
    expect(log.look()).toBe('----++');
  });

  test('records nothing where another process removed all before', async () => {
    const log = await still(6);
    await new Redactions(log).expire(NOW_MS, DAY * DAY_MS);
    await new Redactions(log).expire(NOW_MS, DAY * DAY_MS);
    expect(log.appended).toHaveLength(1);
  });

  test('ends the segment that is written when its first record is older than a day', async () => {
    const log = await still(1);
    const redactions = new Redactions(log);
    await redactions.expire(START_MS + DAY_MS, 9 * DAY_MS);
    expect(log.ended).toBe(0);
    await redactions.expire(START_MS + DAY_MS + 1, 9 * DAY_MS);
    expect(log.ended).toBe(1);
  });

  test('leaves a segment that begins with a torn line to the next start', async () => {
    const log = await still(1);
    const path = join(log.directory, nameOf(1));
    appendFileSync(path, 'torn');
    await new Redactions(log).expire(START_MS + 99 * DAY_MS, 0);
    expect(log.ended).toBe(0);
    expect(log.look()).toBe('-');
  });
});
