/**
 * Reads records in a thread of its own, begun when somebody asks first. One that ends for whatever
 * reason is begun again by the next question.
 */
import { Worker } from 'node:worker_threads';
import { PortcullisError, type ErrorCode } from '../../errors.ts';
import type { RecordReading } from '../../evidence/index/reading.ts';

export interface WorkerPlace {
  /** Folder of the log. */
  directory: string;
  /** File of its index. */
  path: string;
}

/** A question, by the name of the operation. */
export interface Asked {
  id: number;
  name: keyof RecordReading;
  given: readonly unknown[];
}

export type Told = { id: number; value: unknown } | { id: number; fault: Fault };

interface Fault {
  code: ErrorCode;
  message: string;
}

export interface ReadingThread extends RecordReading {
  close(): Promise<void>;
}

/** Beside this file, in the same language: source as it is, or compiled. */
const WORKER = new URL(import.meta.url.replace(/reading_thread\.(\w+)$/, 'reading_worker.$1'));

export function openReading(place: WorkerPlace, timeout_ms: number): ReadingThread {
  const waiting = new Map<number, PromiseWithResolvers<unknown>>();
  let worker: Worker | undefined;
  let asked = 0;
  const begin = (): Worker => {
    const begun = new Worker(WORKER, { workerData: place });
    const fail = (cause?: unknown): void => {
      if (worker !== begun) return;
      worker = undefined;
      const message = 'the thread that reads evidence has ended';
      for (const { reject } of waiting.values()) {
        reject(new PortcullisError('INTERNAL', message, { cause }));
      }
      waiting.clear();
    };
    begun.on('message', (told: Told) => {
      const { resolve, reject } = waiting.get(told.id) ?? {};
      waiting.delete(told.id);
      if ('value' in told) resolve?.(told.value);
      else reject?.(new PortcullisError(told.fault.code, told.fault.message));
    });
    begun.on('error', fail);
    begun.on('exit', fail);
    begun.unref();
    return begun;
  };
  const ask = async <T>(name: keyof RecordReading, ...given: readonly unknown[]): Promise<T> => {
    const id = (asked += 1);
    const answer = Promise.withResolvers<unknown>();
    waiting.set(id, answer);
    const timer = setTimeout(() => {
      waiting.delete(id);
      answer.reject(new PortcullisError('OVERLOADED', LATE));
    }, timeout_ms);
    try {
      worker ??= begin();
      worker.postMessage({ id, name, given } satisfies Asked);
      return (await answer.promise) as T;
    } finally {
      clearTimeout(timer);
    }
  };
  return {
    page: (query) => ask('page', query),
    record: (index, filter) => ask('record', index, filter),
    find: (evaluation_id, filter) => ask('find', evaluation_id, filter),
    async close() {
      await worker?.terminate();
    },
  };
}

const LATE = 'the index of the evidence log is not there yet, or the log is read by many';
