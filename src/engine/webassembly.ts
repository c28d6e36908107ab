/**
 * What is used of WebAssembly's JavaScript interface, which Node's types leave out, and of the SDK,
 * whose types miss its default export (and whose module has no other synchronous loader).
 */
import * as sdk from '@open-policy-agent/opa-wasm';

/** A compiled module; opaque. */
export interface WasmModule {
  readonly compiled?: never;
}

export interface WasmMemory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}

interface WebAssemblyApi {
  compile(bytes: Uint8Array): Promise<WasmModule>;
  Module: { exports(module: WasmModule): { name: string }[] };
  RuntimeError: new () => Error;
}

export const { WebAssembly } = globalThis as unknown as { WebAssembly: WebAssemblyApi };

/** What a module of ABI 1.2 or later exports, as far as it is used. */
export interface PolicyExports {
  builtins(): number;
  entrypoints(): number;
  opa_eval(
    reserved: number,
    entrypoint: number,
    data: number,
    input: number,
    input_bytes: number,
    heap: number,
    format: number,
  ): number;
  opa_heap_ptr_get(): number;
  opa_json_dump(value: number): number;
  opa_json_parse(text: number, bytes: number): number;
  opa_malloc(bytes: number): number;
}

interface Sdk {
  loadPolicySync(
    module: WasmModule,
    memory: { initial: number; maximum: number },
  ): { mem: WasmMemory; wasmInstance: { exports: PolicyExports } };
}

/** Instantiates a module with a memory and the SDK's builtins. */
export const { loadPolicySync } = (sdk as unknown as { default: Sdk }).default;
