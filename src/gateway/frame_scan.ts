/**
 * Finds whom a text speaks for that is not taken as a message: too large to be kept, or not I-JSON.
 * Reads it piece by piece and keeps next to nothing of it.
 */
import type { Id } from '../pep/message.ts';

/** Of a message that was not taken: somebody waits for what was to follow on it, or for itself. */
export interface Frame {
  id: Id;
  /** It is a request, and its sender waits; else it is an answer, and its receiver does. */
  asks: boolean;
}

const TEXT_BYTES_MAX = 1024;

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const OPENING = new Set([0x7b, 0x5b]);
const CLOSING = new Set([0x7d, 0x5d]);
const OPEN_OBJECT = 0x7b;
const SPACES = new Set([0x20, 0x09, 0x0a, 0x0d]);

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export class FrameScan {
  #depth = 0;
  #quoted = false;
  #escaped = false;
  /** It is no object, or there is something round it. */
  #broken = false;
  #ended = false;
  /** The bytes of the name or of the value at hand, of the outermost object. */
  #text: number[] = [];
  #name: unknown;
  readonly #ids: unknown[] = [];
  #asks = false;

  feed(bytes: Uint8Array): void {
    for (const byte of bytes) {
      if (this.#broken) return;
      if (this.#quoted) this.#inText(byte);
      else this.#between(byte);
    }
  }

  /** Undefined where no one id is told. */
  get frame(): Frame | undefined {
    const [id, ...others] = this.#ids;
    if (!this.#ended || this.#broken || others.length > 0) return undefined;
    if (typeof id !== 'string' && !Number.isSafeInteger(id)) return undefined;
    return { id: id as Id, asks: this.#asks };
  }

  #inText(byte: number): void {
    this.#keep(byte);
    if (this.#escaped) this.#escaped = false;
    else if (byte === BACKSLASH) this.#escaped = true;
    else if (byte === QUOTE) this.#quoted = false;
  }

  #between(byte: number): void {
    if (this.#depth === 0) this.#outside(byte);
    else if (CLOSING.has(byte)) this.#close(byte);
    else if (this.#depth === 1 && byte === COLON) this.#endName();
    else if (this.#depth === 1 && byte === COMMA) this.#endMember();
    else {
      this.#keep(byte);
      if (byte === QUOTE) this.#quoted = true;
      else if (OPENING.has(byte)) this.#depth += 1;
    }
  }

  #outside(byte: number): void {
    if (SPACES.has(byte)) return;
    if (byte === OPEN_OBJECT && !this.#ended) this.#depth = 1;
    else this.#broken = true;
  }

  #close(byte: number): void {
    this.#depth -= 1;
    this.#keep(byte);
    if (this.#depth > 0) return;
    this.#endMember();
    this.#ended = true;
  }

  #endName(): void {
    this.#name = this.#take();
    if (this.#name === 'method') this.#asks = true;
  }

  #endMember(): void {
    const value = this.#take();
    if (this.#name === 'id') this.#ids.push(value);
    this.#name = undefined;
  }

  /** What is nested is not kept, so that its beginning alone is no JSON. */
  #keep(byte: number): void {
    if (this.#depth === 1 && this.#text.length <= TEXT_BYTES_MAX) this.#text.push(byte);
  }

  /** The name or value that was kept; undefined where it is none. */
  #take(): unknown {
    const bytes = Uint8Array.from(this.#text);
    this.#text = [];
    try {
      return JSON.parse(utf8.decode(bytes)) as unknown;
    } catch {
      return undefined;
    }
  }
}

/** Whom a whole text speaks for. */
export function frameOf(bytes: Uint8Array): Frame | undefined {
  const scan = new FrameScan();
  scan.feed(bytes);
  return scan.frame;
}
