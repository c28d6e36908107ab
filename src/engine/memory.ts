/**
 * The size of the memory to give to a module, read from its binary (WebAssembly core specification,
 * chapter 5), because the JavaScript interface does not tell it. Neither the SDK's five pages nor
 * the size that the module imports hold the constants of a policy of a thousand rules: OPA appends
 * them and leaves the import as it was.
 */
import { PortcullisError } from '../errors.ts';

/** In pages of 64 KiB. */
export interface MemorySize {
  initial: number;
  maximum: number;
}

interface Imported {
  initial: number;
  maximum: number | undefined;
}

const PAGE_BYTES = 65_536;
const HEADER_BYTES = 8;
const SECTION = { import: 2, data: 11 } as const;
const KIND = { func: 0, table: 1, memory: 2, global: 3, tag: 4 } as const;
const HAS_MAXIMUM = 1;
const PASSIVE = 1;
const EXPLICIT_MEMORY = 2;
const I32_CONST = 0x41;
const END = 0x0b;

/**
 * For a module that compiled. Throws `ENGINE_UNSUITED` if it needs more than `pages_max`, and
 * `BUNDLE_INVALID` if it is not as OPA writes them.
 */
export function sizeMemory(wasm: Uint8Array, pages_max: number): MemorySize {
  let imported: Imported | undefined;
  let data_bytes = 0;
  const reader = new Reader(wasm, HEADER_BYTES);
  while (!reader.atEnd()) {
    const id = reader.byte();
    const end = reader.number() + reader.at;
    if (id === SECTION.import) imported = readImports(reader);
    if (id === SECTION.data) data_bytes = readDataEnd(reader);
    reader.at = end;
  }
  if (!imported) throw damaged('it imports no memory as OPA modules do');
  const initial = Math.max(imported.initial, Math.ceil(data_bytes / PAGE_BYTES));
  if (initial <= pages_max) {
    return { initial, maximum: Math.min(pages_max, imported.maximum ?? pages_max) };
  }
  const message = `the policy needs ${initial} pages of memory, more than memory_pages_max`;
  throw new PortcullisError('ENGINE_UNSUITED', message);
}

/** The first memory of the import section (5.5.5). */
function readImports(reader: Reader): Imported | undefined {
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
    } else throw damaged('it imports something unknown');
  }
  return undefined;
}

/** Where the last active segment of the data section ends (5.5.14). */
function readDataEnd(reader: Reader): number {
  let end = 0;
  for (let left = reader.number(); left > 0; left -= 1) {
    const mode = reader.number();
    if (mode === EXPLICIT_MEMORY) reader.number();
    const offset = mode === PASSIVE ? 0 : reader.constant();
    const length = reader.number();
    if (mode !== PASSIVE) end = Math.max(end, offset + length);
    reader.skip(length);
  }
  return end;
}

function damaged(message: string): PortcullisError {
  return new PortcullisError(
    'BUNDLE_INVALID',
    `its policy module is not as OPA writes them: ${message}`,
  );
}

class Reader {
  at: number;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes;
    this.at = at;
  }

  atEnd(): boolean {
    return this.at >= this.#bytes.length;
  }

  skip(bytes: number): void {
    this.at += bytes;
  }

  byte(): number {
    const byte = this.#bytes[this.at];
    if (byte === undefined) throw damaged('it is cut off');
    this.at += 1;
    return byte;
  }

  /** An unsigned LEB128 number of at most 32 bits (5.2.2); as an address it is never negative. */
  number(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw damaged('a number in it is malformed');
  }

  limits(): Imported {
    const hasMaximum = (this.byte() & HAS_MAXIMUM) !== 0;
    const initial = this.number();
    return { initial, maximum: hasMaximum ? this.number() : undefined };
  }

  /** The offset of a segment, which OPA writes as a constant. */
  constant(): number {
    const isConstant = this.byte() === I32_CONST;
    const value = this.number();
    if (isConstant && this.byte() === END) return value;
    throw damaged('a segment of it has no constant place');
  }
}
