/** Lines of bytes, as MCP delimits its messages over stdio. */
import { FrameScan, type Frame } from '../frame_scan.ts';

export type Line =
  | { kind: 'whole'; bytes: Uint8Array }
  /** Longer than the limit, and not kept; `frame` says whom it spoke for. */
  | { kind: 'too_large'; frame: Frame | undefined }
  /** The stream ended within it. */
  | { kind: 'half' };

const NEWLINE = 0x0a;
const CAPACITY_BYTES = 4096;

/**
 * The lines of a stream, without their ends; empty ones are left out. The stream is read no faster
 * than they are taken.
 */
export async function* readLines(
  source: AsyncIterable<Uint8Array>,
  size_bytes_max: number,
): AsyncGenerator<Line> {
  const draft = new Draft(size_bytes_max);
  for await (const chunk of source) {
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, from)) {
      draft.add(chunk.subarray(from, end));
      from = end + 1;
      const line = draft.take();
      if (line) yield line;
    }
    draft.add(chunk.subarray(from));
  }
  if (draft.take()) yield { kind: 'half' };
}

/** The line at hand. Its bytes are copied, since many small chunks cost more than their bytes. */
class Draft {
  readonly #size_bytes_max: number;
  #bytes = new Uint8Array(CAPACITY_BYTES);
  #size = 0;
  #scan: FrameScan | undefined;

  constructor(size_bytes_max: number) {
    this.#size_bytes_max = size_bytes_max;
  }

  add(part: Uint8Array): void {
    if (!this.#scan && this.#size + part.length > this.#size_bytes_max) {
      this.#scan = new FrameScan();
      this.#scan.feed(this.#bytes.subarray(0, this.#size));
      this.#clear();
    }
    if (this.#scan) this.#scan.feed(part);
    else this.#append(part);
  }

  take(): Line | undefined {
    const scan = this.#scan;
    this.#scan = undefined;
    if (scan) return { kind: 'too_large', frame: scan.frame };
    if (this.#size === 0) return undefined;
    const bytes = this.#bytes.subarray(0, this.#size);
    this.#clear();
    return { kind: 'whole', bytes };
  }

  #append(part: Uint8Array): void {
    const size = this.#size + part.length;
    if (size > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(size, 2 * this.#bytes.length));
      grown.set(this.#bytes.subarray(0, this.#size));
      this.#bytes = grown;
    }
    this.#bytes.set(part, this.#size);
    this.#size = size;
  }

  #clear(): void {
    this.#bytes = new Uint8Array(CAPACITY_BYTES);
    this.#size = 0;
  }
}
