/** A server under load, in a process of its own. */
import type { ChildProcess } from 'node:child_process';

/** Where and how the load generator asks. */
export interface Target {
  url: string;
  path: string;
  authorization?: string;
  /** OPA takes the request as `input`. */
  wrap: 'input' | 'none';
  /** What stands in an answer that allows. */
  allows: string;
}

export interface Server {
  target: Target;
  child: ChildProcess;
  /** From the start of the process to its first answer that it is ready. */
  ready_ms: number;
  /** Decisions that it recorded so far, read back from where it writes them. */
  recorded(): number;
  /** Writes out what the system still holds back of it, so that no other run pays for that. */
  settle(): void;
  close(): Promise<void>;
}

const PATIENCE_MS = 15_000;

/** Asks a route until it answers 200. */
export async function answering(url: string, child: ChildProcess): Promise<void> {
  const until = performance.now() + PATIENCE_MS;
  while (performance.now() < until && child.exitCode === null) {
    if (await isReady(url)) return;
    await new Promise((resolve) => {
      setTimeout(resolve, 2);
    });
  }
  throw new Error(`no answer from ${url}`);
}

async function isReady(url: string): Promise<boolean> {
  try {
    const response = await fetch(url);
    await response.bytes();
    return response.status === 200;
  } catch {
    return false;
  }
}
