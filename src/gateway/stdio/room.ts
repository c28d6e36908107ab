/** Back-pressure: who writes waits until what was written has gone. */
import type { Writable } from 'node:stream';

/** Resolves when no more than `queued_bytes_max` wait to be written, or the stream is gone. */
export function room(stream: Writable, queued_bytes_max = 0): Promise<void> {
  const isFree = !stream.writableNeedDrain || stream.writableLength <= queued_bytes_max;
  if (isFree || stream.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      for (const event of EVENTS) stream.removeListener(event, done);
      resolve();
    };
    for (const event of EVENTS) stream.once(event, done);
  });
}

const EVENTS = ['drain', 'close', 'error'] as const;

/** Writes a message as one line; JSON text has no line ends of its own. */
export function writeLine(stream: Writable, message: unknown): void {
  if (stream.writable) stream.write(`${JSON.stringify(message)}\n`);
}
