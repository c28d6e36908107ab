/** What a wrapped server says on its standard error, passed on as text that can do no harm. */
import type { Writable } from 'node:stream';
import { printable } from '../../telemetry/printable.ts';
import { room } from './room.ts';

const LINE_BYTES_MAX = 8192;
const NEWLINE = 0x0a;

/** Each line under the name of its server; of a longer one, only its beginning. */
export async function passStderr(
  source: AsyncIterable<Uint8Array>,
  target: Writable,
  name: string,
): Promise<void> {
  const pass = (text: string) => target.write(`[${name}] ${printable(text)}\n`);
  for await (const text of textLines(source)) {
    pass(text);
    await room(target);
  }
}

/** Lines as text, with tabs as spaces, so that no escape stands for what is harmless. */
async function* textLines(source: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  let kept: Uint8Array[] = [];
  let size = 0;
  const keep = (part: Uint8Array): void => {
    const taken = part.subarray(0, Math.max(0, LINE_BYTES_MAX - size));
    if (taken.length > 0) kept.push(taken.slice());
    size += part.length;
  };
  const take = (): string => {
    const text = Buffer.concat(kept).toString().replace(/\r$/, '').replaceAll('\t', ' ');
    const more = size > LINE_BYTES_MAX ? '…' : '';
    kept = [];
    size = 0;
    return text + more;
  };
  for await (const chunk of source) {
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, from)) {
      keep(chunk.subarray(from, end));
      yield take();
      from = end + 1;
    }
    keep(chunk.subarray(from));
  }
  if (size > 0) yield take();
}
