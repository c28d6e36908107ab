/** The engine as the decision core knows it. */
export interface Engine {
  /** Entrypoints of the module, such as `mcp/main/decision`. */
  readonly entrypoints: readonly string[];
  /**
   * Evaluates one entrypoint over canonical JSON text and returns its raw value, or undefined where
   * the policy yields none. Throws `ENGINE_ABORTED` where the evaluation broke off; the instance was
   * then replaced, so the next evaluation is sound. Throws `REQUEST_TOO_LARGE` above the limit.
   */
  evaluate(entrypoint: string, input: string): unknown;
  /** Releases the instances. */
  close(): void;
}
