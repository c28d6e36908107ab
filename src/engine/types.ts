/** The engine as the decision core knows it. */
import type { Logger } from '../telemetry/logger.ts';

export interface Engine {
  /** Entrypoints of the module, such as `mcp/main/decision`. */
  readonly entrypoints: readonly string[];
  /**
   * Evaluates one entrypoint over JSON text and returns its raw value, or undefined
   * where the policy yields none. Throws `ENGINE_ABORTED` where the evaluation broke off; the
   * instance was then replaced, so the next evaluation is sound. Throws `REQUEST_TOO_LARGE` above
   * the limit.
   *
   * The caller guarantees that `input` is the text of one I-JSON object, written from a value that
   * passed the gate (contract/json.ts): the compiled parser takes a truncated text for no input at
   * all, and says nothing.
   */
  evaluate(entrypoint: string, input: string): unknown;
  /** Releases the instances. */
  close(): void;
}

export interface EngineLimits {
  /** Largest input, in bytes of UTF-8. */
  input_bytes_max: number;
  /** An instance is replaced after this many evaluations. */
  evaluations_per_instance_max: number;
  /** Largest memory of an instance, in pages of 64 KiB; two instances are held. */
  memory_pages_max: number;
}

export interface EngineOptions {
  /** The module that `opa build -t wasm` wrote. */
  wasm: Uint8Array;
  /** The documents that the policy reads as `data`; I-JSON. */
  data: object;
  limits: EngineLimits;
  log: Logger;
}

/** Rejects with `BUNDLE_INVALID`, or `ENGINE_UNSUITED` with the name of the missing thing. */
export type LoadEngine = (options: EngineOptions) => Promise<Engine>;
