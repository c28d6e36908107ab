/**
 * Redaction: disclosures are removed, and what they sealed stays proved and unreadable. That it was
 * asked for is recorded and durable before anything is removed, and never names what was. The
 * segment that is written is ended first where something is to be removed from it, and only there:
 * who asks again and again must not fill a folder with small files. One redaction runs at a time.
 */
import { canonicalJson } from '../contract/canonical.ts';
import type { EvidenceRecord } from '../contract/types.gen.ts';
import { PortcullisError } from '../errors.ts';
import type { EvidenceFiles } from './files.ts';
import { type Keep, holdsDisclosures, rewriteSegment } from './rewrite.ts';
import { SEALS, SEAL_GROUPS, type SealGroup, groupOf } from './seal.ts';
import {
  type Segment,
  type StoredRecord,
  damaged,
  listSegments,
  readLastRecord,
  readSegment,
  useFile,
} from './segment.ts';
import type { EvidenceEntry, Redacted, Redaction } from './types.ts';
import { unwritable } from './unwritable.ts';

const DAY_MS = 86_400_000;

/** What a redaction needs of the log that is written. */
export interface RedactedLog {
  files: EvidenceFiles;
  directory: string;
  append(entry: EvidenceEntry): Promise<number>;
  /** Index of the record after the last durable one. */
  size(): number;
  /** Ends the segment that is written; resolves with the index of the record after it. */
  endSegment(): Promise<number>;
  /** Throws where the log is closed or failed. */
  requireWritable(): void;
}

/** What a redaction looks for. */
interface Wanted {
  removes: (found: StoredRecord) => boolean;
  /** RFC 3339: nothing of that time or later is meant. */
  before: string | undefined;
}

/** A segment with how many of its records are meant. */
interface Found {
  segment: Segment;
  count: number;
}

export class Redactions {
  readonly #log: RedactedLog;
  #last: Promise<unknown> = Promise.resolve();
  /** Index of the first record that may have outlived its time. */
  #kept_from = 0;

  constructor(log: RedactedLog) {
    this.#log = log;
  }

  redact(redaction: Redaction): Promise<Redacted> {
    return this.#next(() => this.#redact(redaction));
  }

  /**
   * Removes all disclosures of segments whose last record is older than that, and records that it
   * did. A segment that is written for more than a day is ended, so that none is a day late.
   */
  expire(now_ms: number, kept_ms: number): Promise<void> {
    return this.#next(() => this.#expire(now_ms, kept_ms));
  }

  /** Resolves when none is at work. */
  async idle(): Promise<void> {
    await this.#last;
  }

  #next<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(async () => {
      try {
        this.#log.requireWritable();
        return await work();
      } catch (error) {
        if (error instanceof PortcullisError) throw error;
        throw unwritable(`the evidence in \`${this.#log.directory}\` cannot be redacted`, error);
      }
    });
    this.#last = done.catch(() => {});
    return done;
  }

  async #redact(redaction: Redaction): Promise<Redacted> {
    const { caller, by, only = SEAL_GROUPS } = redaction;
    const isMeant = matcherOf(redaction);
    const removes = (found: StoredRecord): boolean =>
      kept(found, only).length < found.disclosed.length && isMeant(found);
    const found = await this.#find({ removes, before: by.before });
    const records = found.reduce((sum, { count }) => sum + count, 0);
    const names = Object.keys(by) as (keyof typeof by)[];
    const index = await this.#log.append({
      kind: 'redaction',
      caller,
      redaction: { groups: [...only], by: names, records },
    });
    for (const { segment } of found) {
      await this.#rewrite(segment, (each) => (removes(each) ? kept(each, only) : each.disclosed));
    }
    return { index, records };
  }

  /** The segments in which something is to be removed, none of which is written any more. */
  async #find(wanted: Wanted): Promise<Found[]> {
    const { files, directory } = this.#log;
    const segments = listSegments(files, directory);
    const found = await this.#findIn(segments, this.#log.size(), wanted);
    const written = segments.at(-1);
    if (!written || found.at(-1)?.segment !== written) return found;
    const end = await this.#log.endSegment();
    const ended = listSegments(files, directory).filter(({ first }) => first >= written.first);
    return [...found.slice(0, -1), ...(await this.#findIn(ended, end, wanted))];
  }

  /** Those that hold records before `end` in which something is to be removed. */
  async #findIn(segments: readonly Segment[], end: number, wanted: Wanted): Promise<Found[]> {
    const found: Found[] = [];
    for (const segment of segments.filter(({ first }) => first < end)) {
      this.#log.requireWritable();
      const { count, is_past } = await countIn(this.#log.files, segment, end, wanted);
      if (count > 0) found.push({ segment, count });
      if (is_past) break;
    }
    return found;
  }

  async #expire(now_ms: number, kept_ms: number): Promise<void> {
    const { files, directory } = this.#log;
    const segments = listSegments(files, directory).filter(({ first }) => first >= this.#kept_from);
    const written = segments.pop();
    if (written && (await beginsBefore(files, written, now_ms - DAY_MS))) {
      await this.#log.endSegment();
      segments.push(written);
    }
    const { expired, kept_from } = await this.#expired(segments, now_ms - kept_ms);
    if (expired.length > 0) {
      const redaction = { groups: [...SEAL_GROUPS], by: ['retention' as const] };
      await this.#log.append({ kind: 'redaction', redaction });
    }
    for (const segment of expired) await this.#rewrite(segment, () => []);
    this.#kept_from = kept_from ?? this.#kept_from;
  }

  async #expired(
    segments: readonly Segment[],
    before_ms: number,
  ): Promise<{ expired: Segment[]; kept_from: number | undefined }> {
    const { files } = this.#log;
    const expired: Segment[] = [];
    let kept_from: number | undefined;
    for (const segment of segments) {
      this.#log.requireWritable();
      const last = await useFile(files, segment, (file) => readLastRecord(file, segment));
      if (Date.parse(last.time) >= before_ms) break;
      if (await holdsDisclosures(files, segment)) expired.push(segment);
      kept_from = last.index + 1;
    }
    return { expired, kept_from };
  }

  async #rewrite(segment: Segment, keep: Keep): Promise<void> {
    this.#log.requireWritable();
    await rewriteSegment(this.#log.files, this.#log.directory, segment, keep);
  }
}

/**
 * How many records of a segment are meant, and whether one was reached that is too new. What stands
 * at `end` and behind it may be written at this moment, and is not looked at.
 */
async function countIn(
  files: EvidenceFiles,
  segment: Segment,
  end: number,
  { removes, before }: Wanted,
): Promise<{ count: number; is_past: boolean }> {
  return useFile(files, segment, async (file) => {
    let count = 0;
    for await (const found of readSegment(file, segment)) {
      if ('torn_at_bytes' in found) throw damaged(segment, found.line);
      if (before !== undefined && !isBefore(found.record, before)) return { count, is_past: true };
      if (removes(found)) count += 1;
      if (found.record.index + 1 === end) break;
    }
    return { count, is_past: false };
  });
}

function isBefore({ time }: EvidenceRecord, before: string): boolean {
  return Date.parse(time) < Date.parse(before);
}

async function beginsBefore(
  files: EvidenceFiles,
  segment: Segment,
  before_ms: number,
): Promise<boolean> {
  return useFile(files, segment, async (file) => {
    for await (const found of readSegment(file, segment)) {
      return 'record' in found && Date.parse(found.record.time) < before_ms;
    }
    return false;
  });
}

/** The disclosures that are of none of these groups. */
function kept({ disclosed }: StoredRecord, groups: readonly SealGroup[]): string[] {
  return disclosed.filter((disclosure) => {
    const group = groupOf(disclosure);
    return groups.every((removed) => removed !== group);
  });
}

/** Whether a record is all that a redaction names. */
function matcherOf({ by, tenants }: Redaction): (found: StoredRecord) => boolean {
  const { subject, tenant, record, before } = by;
  const tests: ((found: StoredRecord) => boolean)[] = [];
  if (record !== undefined) tests.push((found) => isCalled(found.record, record));
  if (before !== undefined) tests.push((found) => isBefore(found.record, before));
  if (tenant !== undefined) tests.push((found) => tenantOf(found.record) === tenant);
  if (tenants) tests.push((found) => isOf(tenants, tenantOf(found.record)));
  if (subject !== undefined) tests.push(namesSubject(subject));
  return (found) => tests.every((test) => test(found));
}

/** By index or evaluation id; that of a batch stands for its entries too. */
function isCalled({ index, evaluation_id }: EvidenceRecord, record: string | number): boolean {
  if (typeof record === 'number') return index === record;
  return evaluation_id === record || evaluation_id?.startsWith(`${record}#`) === true;
}

function isOf(tenants: ReadonlySet<string>, tenant: string | undefined): boolean {
  return tenant !== undefined && tenants.has(tenant);
}

/** Of whom a record is; of whose policy, where it is of nobody. */
function tenantOf({ request, subject_tenant, tenant }: EvidenceRecord): string | undefined {
  return request ? request.subject.tenant : (subject_tenant ?? tenant);
}

/** An id is a subject, a link of a chain, an approver, an argument: it must not stay as either. */
function namesSubject(id: string): (found: StoredRecord) => boolean {
  const text = canonicalJson(id);
  return ({ record, disclosed }) =>
    disclosed.some((disclosure) => disclosure.includes(text)) &&
    Object.values(SEALS)
      .flat()
      .some((name) => holds(Reflect.get(record, name), id));
}

function holds(value: unknown, text: string): boolean {
  if (typeof value !== 'object' || value === null) return value === text;
  return Object.values(value).some((member) => holds(member, text));
}
