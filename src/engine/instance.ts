/**
 * One instance of a compiled policy. The SDK instantiates it and serves its builtins; reading and
 * writing its memory is done here, because the SDK takes falsy input for none, stringifies what is
 * already text, and looks for the end of a result byte by byte.
 *
 * Whatever is thrown here leaves the instance damaged: each throw across the boundary keeps 64 KiB
 * of a shadow stack that nothing gives back. The owner has to drop the instance.
 */
import type { MemorySize } from './memory.ts';
import { loadPolicySync } from './webassembly.ts';
import type { PolicyExports, WasmMemory, WasmModule } from './webassembly.ts';

const PAGE_BYTES = 65_536;
const JSON_FORMAT = 0;
const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true });

export class PolicyInstance {
  readonly #module: WasmModule;
  readonly #size: MemorySize;
  readonly #memory: WasmMemory;
  readonly #exports: PolicyExports;
  /** Address of the parsed data, and of the first byte that an evaluation may overwrite. */
  #data = 0;
  #heap = 0;
  #view: Uint8Array;
  /** Evaluations so far. */
  evaluations = 0;

  constructor(module: WasmModule, size: MemorySize) {
    const policy = loadPolicySync(module, { ...size });
    this.#module = module;
    this.#size = size;
    this.#memory = policy.mem;
    this.#exports = policy.wasmInstance.exports;
    this.#view = new Uint8Array(this.#memory.buffer);
  }

  get pages(): number {
    return this.#memory.buffer.byteLength / PAGE_BYTES;
  }

  /** Names of the host builtins that the policy calls. */
  builtins(): string[] {
    return Object.keys(this.#dump(this.#exports.builtins()));
  }

  /** Ids of the entrypoints by name. */
  entrypoints(): Map<string, number> {
    return new Map(Object.entries(this.#dump(this.#exports.entrypoints())));
  }

  /** Parses the data once; the text stays where it is, because parsed strings point into it. */
  loadData(text: string): void {
    const bytes = Buffer.byteLength(text);
    const address = this.#exports.opa_malloc(bytes);
    encoder.encodeInto(text, this.#bytes().subarray(address, address + bytes));
    this.#data = this.#exports.opa_json_parse(address, bytes);
    if (this.#data === 0) throw new TypeError('the data is not JSON');
    this.#heap = this.#exports.opa_heap_ptr_get();
  }

  /**
   * A fresh instance with the same data. Addresses are equal in every instance of a module, so its
   * memory is copied instead of parsing the data again. Only sound before the first evaluation.
   */
  clone(): PolicyInstance {
    const copy = new PolicyInstance(this.#module, this.#size);
    copy.#reserve(this.#memory.buffer.byteLength);
    copy.#bytes().set(this.#bytes().subarray(0, this.#heap));
    copy.#data = this.#data;
    copy.#heap = this.#heap;
    return copy;
  }

  /** The set of results of one entrypoint. */
  evaluate(entrypoint: number, input: string): unknown {
    const bytes = Buffer.byteLength(input);
    const end = this.#heap + bytes;
    this.#reserve(end);
    encoder.encodeInto(input, this.#bytes().subarray(this.#heap, end));
    this.evaluations += 1;
    const run = this.#exports.opa_eval;
    return this.#read(run(0, entrypoint, this.#data, this.#heap, bytes, end, JSON_FORMAT));
  }

  #dump(value: number): Record<string, number> {
    return this.#read(this.#exports.opa_json_dump(value)) as Record<string, number>;
  }

  #read(address: number): unknown {
    const bytes = this.#bytes();
    const end = bytes.indexOf(0, address);
    if (end === -1) throw new RangeError('the result has no end');
    return JSON.parse(decoder.decode(bytes.subarray(address, end)));
  }

  /** Grows the memory to hold this many bytes. Throws a RangeError beyond the maximum. */
  #reserve(bytes: number): void {
    const missing = bytes - this.#memory.buffer.byteLength;
    if (missing > 0) this.#memory.grow(Math.ceil(missing / PAGE_BYTES));
  }

  /** Growing the memory detaches every earlier view of it. */
  #bytes(): Uint8Array {
    if (this.#view.buffer !== this.#memory.buffer) {
      this.#view = new Uint8Array(this.#memory.buffer);
    }
    return this.#view;
  }
}
