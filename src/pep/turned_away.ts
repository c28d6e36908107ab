/**
 * Callers that were turned away because nobody was proved, as evidence hears of them: the first for
 * a reason at once, the others for that reason as a number when its time is over. Whoever sends bad
 * credentials can neither fill the evidence nor wait for it.
 */
import type { TurnedAwayReport } from '../contract/types.gen.ts';
import { withinDeadline } from './deadline.ts';
import type { GuardParts } from './settings.ts';

type Source = TurnedAwayReport['source'];

type Parts = Pick<GuardParts, 'decisionPoint' | 'settings' | 'clock' | 'log'>;

interface Counted {
  until_ms: number;
  /** How many came after the one that was told. */
  repeats: number;
  timer: NodeJS.Timeout;
  tell: (repeats: number) => void;
}

export class TurnedAway {
  readonly #parts: Parts;
  readonly #surface: string | undefined;
  /** By source and reason, which are of closed lists. */
  readonly #counted = new Map<string, Counted>();
  /** Reports that are under way. */
  readonly #told = new Set<Promise<void>>();

  /** `surface`: where the server of this guard stands, if that is configured. */
  constructor(parts: Parts, surface?: string) {
    this.#parts = parts;
    this.#surface = surface;
  }

  /** Never waits and never throws. */
  count(source: Source, reason_code: string): void {
    const name = `${source} ${reason_code}`;
    const known = this.#counted.get(name);
    if (known && this.#parts.clock.now_ms() < known.until_ms) {
      known.repeats += 1;
      return;
    }
    if (known) this.#finish(name);
    this.#report(source, reason_code);
    this.#begin(name, source, reason_code);
  }

  /** Tells the numbers that nobody heard of yet; resolves when all that was told has arrived. */
  async close(): Promise<void> {
    for (const name of [...this.#counted.keys()]) this.#finish(name);
    await Promise.all(this.#told);
  }

  #begin(name: string, source: Source, reason_code: string): void {
    const { clock, settings } = this.#parts;
    const interval_ms = settings.turned_away_interval_ms;
    const timer = setTimeout(() => {
      if (this.#finish(name)) this.#begin(name, source, reason_code);
    }, interval_ms).unref();
    const until_ms = clock.now_ms() + interval_ms;
    const tell = (repeats: number): void => this.#report(source, reason_code, repeats);
    this.#counted.set(name, { until_ms, repeats: 0, timer, tell });
  }

  /** Tells how many more came; false where none did. */
  #finish(name: string): boolean {
    const { repeats, timer, tell } = this.#counted.get(name) as Counted;
    clearTimeout(timer);
    this.#counted.delete(name);
    if (repeats > 0) tell(repeats);
    return repeats > 0;
  }

  #report(source: Source, reason_code: string, repeats?: number): void {
    const { decisionPoint, settings, clock, log } = this.#parts;
    const report: TurnedAwayReport = {
      status: 'turned_away',
      reason_code,
      source,
      server: settings.server,
      ...(this.#surface !== undefined && { surface: this.#surface }),
      ...(repeats !== undefined && { repeats }),
      occurred_at: new Date(clock.now_ms()).toISOString(),
    };
    const told = withinDeadline(
      () => decisionPoint.turnedAway(report),
      settings.decision_timeout_ms,
    )
      .catch((error: unknown) =>
        log.warn('a refused caller was not reported', { reason_code, error }),
      )
      .finally(() => this.#told.delete(told));
    this.#told.add(told);
  }
}
