/** An answer that does not come in time is no answer. */
import { PortcullisError } from '../errors.ts';

/**
 * Runs `work` for at most `timeout_ms`. Its signal is aborted when the time is over or `signal` is
 * aborted, and what it yields after that is dropped. Rejects with DECISION_POINT_UNREACHABLE.
 */
export function withinDeadline<T>(
  work: (signal: AbortSignal) => Promise<T>,
  timeout_ms: number,
  signal?: AbortSignal,
): Promise<T> {
  const controller = new AbortController();
  return new Promise<T>((resolve, reject) => {
    const give_up = (reason: string) => {
      controller.abort();
      reject(new PortcullisError('DECISION_POINT_UNREACHABLE', reason));
    };
    const late = setTimeout(() => give_up(`no answer within ${timeout_ms} ms`), timeout_ms);
    const unwanted = () => give_up('the answer is no longer wanted');
    const finish = () => {
      clearTimeout(late);
      signal?.removeEventListener('abort', unwanted);
    };
    if (signal?.aborted) unwanted();
    signal?.addEventListener('abort', unwanted);
    run(work, controller.signal)
      .then(resolve, reject)
      .finally(finish)
      .catch(() => undefined);
  });
}

/** Work that throws rejects; work that nobody wants is not begun. */
async function run<T>(work: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  return work(signal);
}
