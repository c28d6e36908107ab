/**
 * A process that measures or is measured. It is told to run for some seconds, as often as wanted,
 * and answers each order with what it found; so it is warm, and others can run in between.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

/** The parent's side of such a process. */
export interface Subject<O, R> {
  pid: number;
  /** Runs once. Rejects where the process reports a failure or ends. */
  run(order: O): Promise<R>;
  close(): Promise<void>;
}

type Report = { ready: true } | { result: unknown } | { failure: string };

const STARTED = { ready: true } as const;

/** Starts a file of this folder and waits until it takes orders. */
export async function startSubject<O extends object, R>(
  file: string,
  setting: object,
): Promise<Subject<O, R>> {
  const child = fork(join(import.meta.dirname, file), [JSON.stringify(setting)], {
    execArgv: ['--conditions=portcullis-source'],
    env: cleanEnvironment(),
  });
  try {
    await nextReport(child);
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
  return {
    pid: child.pid as number,
    async run(order) {
      child.send(order);
      return (await nextReport(child)) as R;
    },
    close: () => stopProcess(child),
  };
}

/** The whole of a subject's main: `open` gets the setting and gives what runs an order. */
export async function beSubject<S, O>(
  open: (setting: S) => Promise<(order: O) => Promise<unknown>>,
): Promise<void> {
  const report = (message: Report): void => void process.send?.(message);
  const fail = (error: unknown): void => {
    report({ failure: error instanceof Error ? `${error.stack}` : String(error) });
  };
  try {
    const run = await open(JSON.parse(process.argv[2] ?? '{}') as S);
    process.on('message', (order: O) => {
      run(order).then((result) => report({ result }), fail);
    });
    process.on('disconnect', () => process.exit());
    report(STARTED);
  } catch (error) {
    fail(error);
    process.disconnect?.();
  }
}

function nextReport(child: ChildProcess): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      child.removeListener('message', take);
      child.removeListener('exit', end);
    };
    const take = (message: Report): void => {
      settle();
      if ('failure' in message) reject(new Error(message.failure));
      else resolve('result' in message ? message.result : undefined);
    };
    const end = (code: number | null): void => {
      settle();
      reject(new Error(`a measured process ended with ${code}`));
    };
    child.on('message', take);
    child.on('exit', end);
  });
}

/** Settings of whoever runs the bench must not change what is measured. */
export function cleanEnvironment(): Record<string, string> {
  const entries = Object.entries(process.env).filter(
    (entry): entry is [string, string] =>
      entry[1] !== undefined && !/^(PORTCULLIS_|OPA_)/u.test(entry[0]),
  );
  return Object.fromEntries(entries);
}

/** Ends a process and waits until it is gone. */
export async function stopProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  await ended;
}
