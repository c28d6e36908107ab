/**
 * The size of the memory that a module imports, read from its import section (WebAssembly core
 * specification, section 5.5.5), because the JavaScript interface does not tell it. The SDK's own
 * default of five pages is too small for a policy of a thousand rules.
 */
import { PortcullisError } from '../errors.ts';

/** In pages of 64 KiB. */
export interface MemorySize {
  initial: number;
  maximum: number;
}

const IMPORT_SECTION = 2;
const HEADER_BYTES = 8;
const KIND = { func: 0, table: 1, memory: 2, global: 3, tag: 4 } as const;
const HAS_MAXIMUM = 1;

/** The memory to hand to a module that compiled. Throws `ENGINE_UNSUITED` if it asks for more. */
export function sizeMemory(wasm: Uint8Array, pages_max: number): MemorySize {
  const asked = importedMemory(new Reader(wasm, HEADER_BYTES));
  if (asked.initial > pages_max) {
    const message = `the policy needs ${asked.initial} pages of memory, more than memory_pages_max`;
    throw new PortcullisError('ENGINE_UNSUITED', message);
  }
  return { initial: asked.initial, maximum: Math.min(pages_max, asked.maximum ?? pages_max) };
}

function importedMemory(reader: Reader): { initial: number; maximum?: number } {
  while (!reader.atEnd()) {
    const id = reader.byte();
    const length = reader.number();
    if (id === IMPORT_SECTION) return firstMemory(reader);
    reader.skip(length);
  }
  throw noMemory();
}

function firstMemory(reader: Reader): { initial: number; maximum?: number } {
  for (let left = reader.number(); left > 0; left -= 1) {
    reader.skip(reader.number());
    reader.skip(reader.number());
    const kind = reader.byte();
    if (kind === KIND.memory) return reader.limits();
    if (kind === KIND.func) reader.number();
    else if (kind === KIND.table) {
      reader.skip(1);
      reader.limits();
    } else if (kind === KIND.global) reader.skip(2);
    else if (kind === KIND.tag) {
      reader.skip(1);
      reader.number();
    } else throw noMemory();
  }
  throw noMemory();
}

function noMemory(): PortcullisError {
  return new PortcullisError('ENGINE_UNSUITED', 'the module imports no memory as OPA modules do');
}

class Reader {
  readonly #bytes: Uint8Array;
  #at: number;

  constructor(bytes: Uint8Array, start: number) {
    this.#bytes = bytes;
    this.#at = start;
  }

  atEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  skip(bytes: number): void {
    this.#at += bytes;
  }

  byte(): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) throw noMemory();
    this.#at += 1;
    return byte;
  }

  /** An unsigned LEB128 number of at most 32 bits (section 5.2.2). */
  number(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw noMemory();
  }

  limits(): { initial: number; maximum?: number } {
    const flags = this.byte();
    const initial = this.number();
    return (flags & HAS_MAXIMUM) === 0 ? { initial } : { initial, maximum: this.number() };
  }
}
