/**
 * Outcomes on their way: each is kept on disk and delivered in its order, as often as it takes,
 * until the decision point answered that it is recorded. What could not be kept is counted, and the
 * decision point is told how many that were as soon as it can be told.
 */
import type { Random } from '../contract/ambient.ts';
import type { OutcomeBatch, OutcomeReport, Unreported } from '../contract/types.gen.ts';
import { PortcullisError } from '../errors.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Batch } from './batch.ts';
import type { Kept } from './line.ts';
import { unwritable, type Spool } from './spool.ts';

export interface OutcomeSettings {
  outcomes_spool_bytes_max: number;
  /** Whether calls are refused while it is known that their outcomes cannot be kept. */
  outcomes_required: boolean;
  /** Longest between two attempts to deliver. */
  outcomes_retry_ms_max: number;
  /** How long what is left is delivered when it is closed. */
  outcomes_drain_timeout_ms: number;
}

export interface OutcomeParts {
  spool: Spool;
  /**
   * Resolves when the decision point has recorded all of it. Rejects with `OUTCOME_REFUSED` where
   * it never will.
   */
  send(batch: OutcomeBatch): Promise<void>;
  settings: OutcomeSettings;
  random: Random;
  log: Logger;
}

type Cause = Unreported['cause'];

const RETRY_MS_MIN = 100;
/** Outcomes that are sent in one request. */
const ITEMS_AT_ONCE = 100;
/** Of the room, so that the outcomes of calls that are under way still fit. */
const SHARE_FOR_CALLS = 7 / 8;

export class Outcomes {
  readonly #parts: OutcomeParts;
  /** What was not kept, and nobody was told of yet. */
  readonly #lost = new Map<Cause, number>();
  /** How many were told of since there was room last. */
  #told = 0;
  readonly #delivered = Promise.withResolvers<void>();
  #running: Promise<void> | undefined;
  /** More came while that ran. */
  #again = false;
  #timer: NodeJS.Timeout | undefined;
  #retry_ms = RETRY_MS_MIN;
  #isFailing = false;
  #isFull = false;
  /** Up to this number they go one by one, to find the one that is refused. */
  #alone_until = 0;
  #closing: Promise<void> | undefined;

  /** Delivers at once what an earlier process left. */
  constructor(parts: OutcomeParts) {
    this.#parts = parts;
    this.#wake();
  }

  /** Resolves when all that waited was delivered for the first time. */
  get delivered(): Promise<void> {
    return this.#delivered.promise;
  }

  /**
   * Written when it returns, so that it survives this process; resolves when it is durable or
   * recorded. Rejects with `OUTCOMES_UNWRITABLE` where it is neither, which is counted.
   */
  report(report: OutcomeReport): Promise<void> {
    try {
      return this.#parts.spool.keep({ report }).then(
        () => this.#wake(),
        (error: PortcullisError) => this.#sendAlone(report, error),
      );
    } catch (error) {
      return this.#sendAlone(report, error as PortcullisError);
    }
  }

  /** Throws `OUTCOMES_UNWRITABLE` where it is known that what is done now cannot be kept. */
  requireRoom(): void {
    const { spool, settings } = this.#parts;
    if (!settings.outcomes_required) return;
    if (spool.problem) throw spool.problem;
    if (this.#hasRoom()) return;
    throw unwritable('too many outcomes wait for the decision point');
  }

  /** The decision point answers, so that a long wait for the next attempt is of no use. */
  hurry(): void {
    if (!this.#timer || this.#retry_ms <= RETRY_MS_MIN) return;
    this.#retry_ms = RETRY_MS_MIN;
    this.#retryLater();
  }

  /** Delivers what it can in the time that is set; the rest stays for the next start. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const { spool, settings, log } = this.#parts;
    clearTimeout(this.#timer);
    await spool.flushed();
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, settings.outcomes_drain_timeout_ms);
    await Promise.race([this.#drain(), late.promise]);
    clearTimeout(timer);
    this.#told = 0;
    this.#settle();
    const { waiting } = spool;
    if (waiting > 0) log.warn('outcomes stay for the next start of the guard', { waiting });
    await spool.close();
    const lost = [...this.#lost.values()].reduce((sum, count) => sum + count, 0);
    if (lost > 0) log.error('outcomes are lost, and nobody could be told', { count: lost });
  }

  async #drain(): Promise<void> {
    await this.#running;
    await this.#deliver();
  }

  /** The disk does not take it, but the decision point may. */
  async #sendAlone(report: OutcomeReport, error: PortcullisError): Promise<void> {
    const { spool, send } = this.#parts;
    if (!spool.problem) {
      this.#lose(1, 'full');
      throw error;
    }
    this.#retryLater();
    try {
      await send({ outcomes: [report] });
    } catch {
      this.#lose(1, 'unwritable');
      throw error;
    }
  }

  #hasRoom(): boolean {
    const { spool, settings, log } = this.#parts;
    const limit = settings.outcomes_spool_bytes_max * SHARE_FOR_CALLS;
    const isFull = spool.size_bytes > limit;
    if (isFull && !this.#isFull) {
      log.error('too many outcomes wait for the decision point', { waiting: spool.waiting });
    } else if (!isFull && this.#isFull) log.info('outcomes can be kept again');
    this.#isFull = isFull;
    return !isFull;
  }

  #lose(count: number, cause: Cause): void {
    this.#lost.set(cause, (this.#lost.get(cause) ?? 0) + count);
    this.#settle();
  }

  /**
   * Keeps how many are missing. Without room only whenever their number has doubled, so that what
   * says so stays small, and a process that is killed then leaves most of the number.
   */
  #settle(): void {
    const { spool, random } = this.#parts;
    if (spool.problem) return;
    if (this.#hasRoom()) this.#told = 0;
    // A copy: one that cannot be kept is counted as lost again, and would come again here.
    for (const [cause, count] of [...this.#lost]) {
      if (count <= this.#told) continue;
      this.#told += this.#isFull ? count : 0;
      this.#lost.delete(cause);
      this.#keepLoss({ id: random.id(), count, cause });
    }
  }

  #keepLoss(unreported: Unreported): void {
    const failed = (): void => {
      const { cause, count } = unreported;
      this.#lost.set(cause, (this.#lost.get(cause) ?? 0) + count);
    };
    try {
      this.#parts.spool.keep({ unreported }).then(() => this.#wake(), failed);
    } catch {
      failed();
    }
  }

  /** Begins to deliver, unless that is under way or has to wait. */
  #wake(): void {
    if (this.#running) this.#again = true;
    if (this.#timer || this.#running || this.#closing) return;
    this.#again = false;
    this.#running = this.#deliver().finally(() => {
      this.#running = undefined;
      if (this.#again) this.#wake();
    });
  }

  #retryLater(): void {
    if (this.#closing) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#wake();
    }, this.#retry_ms).unref();
  }

  /** Delivers until nothing waits, or until something goes wrong. Never rejects. */
  async #deliver(): Promise<void> {
    const { spool, settings, log } = this.#parts;
    try {
      if (spool.problem) await this.#reopen();
      for (let batch = await this.#next(); batch; batch = await this.#next()) {
        await this.#send(batch);
        this.#settle();
      }
      // The disk may have failed meanwhile: it has to be tried again though nothing waits.
      if (spool.problem) throw spool.problem;
      if (this.#isFailing) log.info('outcomes are delivered again');
      this.#isFailing = false;
      this.#retry_ms = RETRY_MS_MIN;
      if (spool.waiting === 0) this.#delivered.resolve();
    } catch (error) {
      const { waiting } = spool;
      if (!this.#isFailing) log.warn('outcomes cannot be delivered yet', { waiting, error });
      this.#isFailing = true;
      this.#retryLater();
      this.#retry_ms = Math.min(this.#retry_ms * 2, settings.outcomes_retry_ms_max);
    }
  }

  #next(): Promise<Batch | undefined> {
    const { spool } = this.#parts;
    return spool.next(spool.read < this.#alone_until ? 1 : ITEMS_AT_ONCE);
  }

  async #send(batch: Batch): Promise<void> {
    const { spool, send, log } = this.#parts;
    try {
      await send(messageOf(batch.kept));
    } catch (error) {
      if (!isRefusal(error)) throw error;
      if (batch.kept.length > 1 && spool.read >= this.#alone_until) {
        this.#alone_until = batch.place.number;
        return;
      }
      log.error('the decision point does not take an outcome', { error });
      const reports = batch.kept.filter((each) => 'report' in each).length;
      if (reports > 0) this.#lose(reports, 'refused');
    }
    spool.acknowledge(batch);
  }

  /** Rejects where the disk still fails; the decision point is then told of what is missing. */
  async #reopen(): Promise<void> {
    const { spool, log } = this.#parts;
    try {
      await spool.reopen();
      log.info('outcomes can be written again');
      this.#settle();
    } catch (error) {
      await this.#tellLosses();
      throw error;
    }
  }

  async #tellLosses(): Promise<void> {
    const { random, send } = this.#parts;
    for (const [cause, count] of [...this.#lost]) {
      await send({ outcomes: [], unreported: [{ id: random.id(), count, cause }] });
      const left = (this.#lost.get(cause) ?? 0) - count;
      if (left > 0) this.#lost.set(cause, left);
      else this.#lost.delete(cause);
    }
  }
}

function messageOf(kept: readonly Kept[]): OutcomeBatch {
  const outcomes = kept.flatMap((each) => ('report' in each ? [each.report] : []));
  const unreported = kept.flatMap((each) => ('unreported' in each ? [each.unreported] : []));
  return { outcomes, ...(unreported.length > 0 && { unreported }) };
}

function isRefusal(error: unknown): boolean {
  return error instanceof PortcullisError && error.code === 'OUTCOME_REFUSED';
}
