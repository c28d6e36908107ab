/**
 * One export: a reader of the durable log, never a part of a decision. It sends what stands there
 * in batches, each until it is acknowledged, and remembers how far it came. A receiver that is away
 * makes it lag, and holds up nothing else.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { systemReason } from '../../contract/system_reason.ts';
import { PortcullisError } from '../../errors.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { Cursor } from './cursor.ts';
import type { ExportDriver, ExportSettings, ExportStatus, Gap, RecordSource } from './types.ts';

/** What the exports are handed of time and chance. */
export interface Ambient {
  /** Resolves after so long, or when `signal` is aborted; at once where it was before. */
  wait(ms: number, signal: AbortSignal): Promise<void>;
  /** A number from 0 to below 1. */
  chance(): number;
}

export interface ExporterParts extends Ambient {
  driver: ExportDriver;
  cursor: Cursor;
  source: RecordSource;
  settings: ExportSettings;
  log: Logger;
}

/** A record in the shape of its receiver. */
interface Event {
  index: number;
  leaf: Buffer;
  text: string;
}

interface Batch {
  events: Event[];
  /** The last record that was read, whether or not it is for the receiver. */
  end: { index: number; leaf: Buffer };
}

/** What came of one attempt. */
type Attempt<T> = { done: T } | { reason: string; after_ms?: number };

/** Records that are read before others have their turn. */
const RECORDS_AT_ONCE = 32;
/** Gaps that a status tells. */
const GAPS_TOLD = 16;

/** Thrown where the export is closed before it is done. */
const GIVEN_UP = new Error('given up');

export class Exporter {
  readonly #parts: ExporterParts;
  /** Ends waits: nothing is lingered for or tried again from here on. */
  readonly #closing = new AbortController();
  /** Ends what is being sent. */
  readonly #over = new AbortController();
  #wake: (() => void) | undefined;
  #work = Promise.resolve();
  #stopped = false;
  #problem: string | undefined;

  constructor(parts: ExporterParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#work = this.#run();
  }

  /** There are more records. */
  wake(): void {
    this.#wake?.();
  }

  status(): ExportStatus {
    const { cursor, settings, source } = this.#parts;
    const { name, type, required } = settings;
    return {
      name,
      type,
      required,
      stopped: this.#stopped,
      lag_records: source.size() - cursor.next,
      gap_records: cursor.gaps.reduce((sum, { records }) => sum + records, 0),
      gaps: cursor.gaps.slice(-GAPS_TOLD),
      ...(this.#problem !== undefined && { problem: this.#problem }),
    };
  }

  /** Whether decisions have to wait for it. */
  get isTooFarBehind(): boolean {
    const { cursor, settings, source } = this.#parts;
    if (!settings.required) return false;
    return this.#stopped || source.size() - cursor.next > settings.lag_records_max;
  }

  /** Sends what is left once more, within the time of one answer; what is not taken stays. */
  async close(): Promise<void> {
    const { driver, settings, wait } = this.#parts;
    this.#closing.abort();
    this.wake();
    const done = new AbortController();
    const ended = this.#work.finally(() => done.abort());
    await Promise.race([ended, wait(settings.timeout_ms, done.signal)]);
    this.#over.abort();
    await driver.close();
  }

  /** Never rejects. */
  async #run(): Promise<void> {
    const { log, settings } = this.#parts;
    try {
      while (await this.#hasMore()) await this.#send(await this.#read());
    } catch (error) {
      if (error === GIVEN_UP) return;
      this.#stopped = true;
      this.#problem = error instanceof PortcullisError ? error.message : 'an unexpected error';
      log.error('an export of the evidence has stopped', { export: settings.name, error });
    }
  }

  /** Waits for records, and a little for more of them; false where there are none at the close. */
  async #hasMore(): Promise<boolean> {
    const { cursor, source, settings, wait } = this.#parts;
    const { signal } = this.#closing;
    while (cursor.next >= source.size()) {
      if (signal.aborted) return false;
      await new Promise<void>((resolve) => (this.#wake = resolve));
      this.#wake = undefined;
      const isFull = source.size() - cursor.next >= settings.batch_records_max;
      if (!isFull) await wait(settings.interval_ms, signal);
    }
    return true;
  }

  async #read(): Promise<Batch> {
    return this.#until(async () => ({ done: await this.#readBatch() }));
  }

  /** At least one record, and as many more as fit and can be read. */
  async #readBatch(): Promise<Batch> {
    const { cursor, driver, settings, source } = this.#parts;
    const { batch_records_max, batch_bytes_max } = settings;
    const from = cursor.next;
    const to = Math.min(source.size(), from + batch_records_max);
    const events: Event[] = [];
    let end: Batch['end'] | undefined;
    let size_bytes = 0;
    try {
      for await (const { record, leaf } of source.read(from, to)) {
        const { index } = record;
        const text = driver.format(record);
        size_bytes += text === undefined ? 0 : Buffer.byteLength(text) + 1;
        if (size_bytes > batch_bytes_max && events.length > 0) break;
        if (text !== undefined) events.push({ index, leaf, text });
        end = { index, leaf };
        if (index % RECORDS_AT_ONCE === 0) await nextTurn();
      }
    } catch (error) {
      // What stands before a record that cannot be read goes first.
      if (!end) throw error;
    }
    return { events, end: end as Batch['end'] };
  }

  /** In order, so that one place says how far it came; what is refused is halved. */
  async #send({ events, end }: Batch): Promise<void> {
    const pending = events.length > 0 ? [events] : [];
    for (let part = pending.pop(); part; part = pending.pop()) {
      const first = part[0] as Event;
      const last = part.at(-1) as Event;
      const { refused, rejected_records = 0 } = await this.#deliver(part);
      if (refused !== undefined && part.length > 1) {
        const half = Math.ceil(part.length / 2);
        pending.push(part.slice(half), part.slice(0, half));
        continue;
      }
      const records = refused === undefined ? rejected_records : 1;
      const reason = refused ?? 'it left records of a batch out';
      const gap = records > 0 && { first: first.index, last: last.index, records, reason };
      await this.#advance(last, gap || undefined);
      await nextTurn();
    }
    if (this.#parts.cursor.next <= end.index) await this.#advance(end);
  }

  async #deliver(part: Event[]): Promise<{ refused?: string; rejected_records?: number }> {
    const { driver } = this.#parts;
    const texts = part.map(({ text }) => text);
    return this.#until<{ refused?: string; rejected_records?: number }>(async () => {
      const delivery = await driver.deliver(texts, this.#over.signal);
      if (delivery.outcome === 'away') return delivery;
      if (delivery.outcome === 'refused') return { done: { refused: delivery.reason } };
      return { done: { rejected_records: delivery.rejected_records } };
    });
  }

  async #advance({ index, leaf }: { index: number; leaf: Buffer }, gap?: Gap): Promise<void> {
    const { cursor, log, settings } = this.#parts;
    await this.#until(async () => {
      try {
        return { done: await cursor.advance(index + 1, leaf, gap) };
      } catch (error) {
        return { reason: `its place cannot be written: ${systemReason(error)}` };
      }
    });
    const message = 'records are left out of an export of the evidence';
    if (gap) log.error(message, { export: settings.name, ...gap });
  }

  /** Tries until it is done. Rejects with `GIVEN_UP` where it is not, and the export closes. */
  async #until<T>(attempt: () => Promise<Attempt<T>>): Promise<T> {
    const { log, settings, wait } = this.#parts;
    for (let failures = 0; ; failures += 1) {
      const result = await attempt().catch(failed);
      if ('done' in result) {
        if (failures > 0) log.info('an export of the evidence goes on', { export: settings.name });
        this.#problem = undefined;
        return result.done;
      }
      const { reason, after_ms = 0 } = result;
      if (reason !== this.#problem) {
        log.warn('an export of the evidence waits', { export: settings.name, reason });
      }
      this.#problem = reason;
      const wait_ms = Math.max(after_ms, this.#backOff(failures));
      await wait(wait_ms, this.#closing.signal);
      if (this.#closing.signal.aborted) throw GIVEN_UP;
    }
  }

  /** Doubles, and is never below half of that: many exports do not come back at one moment. */
  #backOff(failures: number): number {
    const { chance, settings } = this.#parts;
    const { retry_interval_ms, retry_interval_ms_max } = settings;
    const doubled = retry_interval_ms * 2 ** failures;
    return Math.min(doubled, retry_interval_ms_max) * (0.5 + chance() / 2);
  }
}

/** What may pass is tried again; a damaged log, and what nobody foresaw, is not. */
function failed(error: unknown): { reason: string; after_ms?: number } {
  const { code } = error as { code?: unknown };
  if (code === undefined || code === 'EVIDENCE_DAMAGED') throw error;
  return { reason: error instanceof PortcullisError ? error.message : systemReason(error) };
}
