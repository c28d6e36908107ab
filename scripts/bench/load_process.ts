/**
 * The load generator: so many connections, each of which asks again when it was answered. Every
 * answer must be the one that the question has.
 */
import { readFileSync } from 'node:fs';
import { Pool, type Dispatcher } from 'undici';
import type { Question } from './policy.ts';
import type { Target } from './server.ts';
import { quantile, type Latency } from './statistics.ts';
import { beSubject } from './subject.ts';

export interface LoadSetting {
  /** File of the questions. */
  questions: string;
}

export interface LoadOrder {
  target: Target;
  connections: number;
  seconds: number;
}

export interface LoadResult extends Latency {
  /** Answers that were measured. */
  answered: number;
  /** All questions of the order, those of the warm-up too. */
  sent: number;
  per_second: number;
}

interface Prepared {
  body: string;
  allowed: boolean;
}

/** Part of the time that goes before the measurement, to open connections and to get warm. */
const WARM_UP = 0.25;
/** A prime, so that connections do not ask the same at the same time. */
const APART = 61;

class Load {
  readonly #target: Target;
  readonly #prepared: readonly Prepared[];
  readonly #pool: Pool;
  readonly #headers: Record<string, string>;
  readonly #allows: Buffer;
  #times: number[] = [];
  #until = 0;
  #failure: Error | undefined;

  constructor({ target, connections }: LoadOrder, prepared: readonly Prepared[]) {
    this.#target = target;
    this.#prepared = prepared;
    this.#pool = new Pool(target.url, { connections, pipelining: 1 });
    this.#headers = {
      'content-type': 'application/json',
      ...(target.authorization !== undefined && { authorization: target.authorization }),
    };
    this.#allows = Buffer.from(target.allows);
  }

  async run({ connections, seconds }: LoadOrder): Promise<LoadResult> {
    await this.#ask(connections, seconds * WARM_UP);
    const warm_up = this.#times.length;
    this.#times = [];
    const started = performance.now();
    await this.#ask(connections, seconds);
    const elapsed = (performance.now() - started) / 1000;
    const answered = this.#times.length;
    return {
      answered,
      sent: warm_up + answered,
      per_second: answered / elapsed,
      p50: quantile(this.#times, 0.5),
      p99: quantile(this.#times, 0.99),
    };
  }

  close(): Promise<void> {
    return this.#pool.destroy();
  }

  async #ask(connections: number, seconds: number): Promise<void> {
    this.#until = performance.now() + seconds * 1000;
    const loops = Array.from({ length: connections }, (_, i) => this.#loop(i * APART));
    await Promise.all(loops);
    if (this.#failure) throw this.#failure;
  }

  #loop(first: number): Promise<void> {
    return new Promise((resolve) => {
      let at = first;
      const next = (): void => {
        if (this.#failure || performance.now() >= this.#until) resolve();
        else {
          this.#send(this.#prepared[at % this.#prepared.length] as Prepared, next);
          at += 1;
        }
      };
      next();
    });
  }

  #send({ body, allowed }: Prepared, next: () => void): void {
    const request = { method: 'POST', path: this.#target.path, headers: this.#headers, body };
    const started = performance.now();
    let status = 0;
    let answer: Buffer | undefined;
    const handler: Dispatcher.DispatchHandler = {
      onRequestStart: () => {},
      onResponseStart: (_, found) => {
        status = found;
      },
      onResponseData: (_, chunk) => {
        answer = answer ? Buffer.concat([answer, chunk]) : chunk;
      },
      onResponseEnd: () => {
        this.#times.push(performance.now() - started);
        if (status !== 200 || answer?.includes(this.#allows) !== allowed) {
          this.#failure = new Error(`a wrong answer with status ${status}: ${String(answer)}`);
        }
        next();
      },
      onResponseError: (_, error) => {
        this.#failure = error;
        next();
      },
    };
    this.#pool.dispatch(request, handler);
  }
}

function prepare(questions: readonly Question[], wrap: Target['wrap']): Prepared[] {
  return questions.map(({ request, allowed }) => {
    return { body: JSON.stringify(wrap === 'input' ? { input: request } : request), allowed };
  });
}

await beSubject<LoadSetting, LoadOrder>(async ({ questions }) => {
  const read = JSON.parse(readFileSync(questions, 'utf8')) as Question[];
  const prepared = { input: prepare(read, 'input'), none: prepare(read, 'none') };
  return async (order) => {
    const load = new Load(order, prepared[order.target.wrap]);
    try {
      return await load.run(order);
    } finally {
      await load.close();
    }
  };
});
