/**
 * Refusals that were just given. Who asks the same again hears the same again, for some seconds
 * and without a new decision, so that a client in a loop neither loads the decision point nor
 * fills the evidence; how often it asked is reported once. It can only refuse, and a change of
 * policy ends it.
 */
import { createHash } from 'node:crypto';
import type { Clock } from '../contract/ambient.ts';
import { keyedDigestOf, type DigestKey } from '../contract/digest.ts';
import type { EvaluationResponse } from '../contract/types.gen.ts';
import { retryOf } from './answers.ts';
import type { Question } from './decide.ts';
import type { Refused, Verdict } from './judge.ts';

export interface RefusalLimits {
  /** How long a refusal is given again without a new decision; 0 is never. */
  refusal_memory_ms: number;
  /** Most refusals that are remembered at a time; the oldest makes room. */
  refusals_max: number;
}

type Tell = (answer: EvaluationResponse, repeats: number) => void;

interface Entry {
  refused: Refused;
  until_ms: number;
  repeats: number;
  tell: (repeats: number) => void;
}

export class Refusals {
  readonly #limits: RefusalLimits;
  readonly #clock: Clock;
  readonly #key: DigestKey;
  /** By what was asked, the oldest first. */
  readonly #entries = new Map<string, Entry>();
  /** Those that were asked for again, until that is told. */
  readonly #repeated = new Map<Entry, NodeJS.Timeout>();

  constructor(limits: RefusalLimits, clock: Clock, key: DigestKey) {
    this.#limits = limits;
    this.#clock = clock;
    this.#key = key;
  }

  /** The refusal of the very same question, counted. */
  recall(question: Question): Refused | undefined {
    if (this.#entries.size === 0) return undefined;
    const entry = this.#entries.get(this.#nameOf(question));
    const left_ms = (entry?.until_ms ?? 0) - this.#clock.now_ms();
    if (!entry || left_ms <= 0) return undefined;
    entry.repeats += 1;
    if (entry.repeats === 1) {
      this.#repeated.set(entry, setTimeout(() => this.#finish(entry), left_ms).unref());
    }
    return entry.refused;
  }

  /**
   * Remembers a verdict where asking again at once cannot change it. `tell` hears how often it was
   * asked for again, once and if it was, when its time is over.
   */
  keep(question: Question, verdict: Verdict, tell: Tell): void {
    const { refusal_memory_ms, refusals_max } = this.#limits;
    if (refusal_memory_ms === 0 || !isFinal(verdict)) return;
    const now_ms = this.#clock.now_ms();
    for (const [name, { until_ms }] of this.#entries) {
      if (until_ms > now_ms && this.#entries.size < refusals_max) break;
      this.#entries.delete(name);
    }
    const until_ms = now_ms + refusal_memory_ms;
    const told = (repeats: number): void => tell(verdict.answer, repeats);
    this.#entries.set(this.#nameOf(question), {
      refused: verdict,
      until_ms,
      repeats: 0,
      tell: told,
    });
  }

  /** Another policy may decide otherwise. */
  clear(): void {
    this.#entries.clear();
  }

  /** Tells at once what would be told later, and forgets the rest. */
  close(): void {
    for (const entry of [...this.#repeated.keys()]) this.#finish(entry);
    this.clear();
  }

  #finish(entry: Entry): void {
    clearTimeout(this.#repeated.get(entry));
    this.#repeated.delete(entry);
    const { repeats } = entry;
    // A clock that was set back lets it be known longer than its timer ran: counted anew from here.
    entry.repeats = 0;
    entry.tell(repeats);
  }

  /** Whatever the decision hangs on: who, how proved, from where, what, with which arguments. */
  #nameOf({ asker, method, resource, arguments: args }: Question): string {
    const { trusted, claims } = asker;
    const asked = [trusted, claims, method, resource, keyedDigestOf(this.#key, args)];
    return createHash('sha256').update(JSON.stringify(asked)).digest('base64');
  }
}

/** An approval may come at any time, and what is out of order may be mended. */
function isFinal(verdict: Verdict): verdict is Refused {
  if (verdict.outcome !== 'refuse' || !verdict.answer || verdict.overruled) return false;
  const waits = ['after_approval', 'after_seconds'].includes(retryOf(verdict.reason_code));
  return verdict.answer.context.outcome === 'deny' && !waits;
}
