/**
 * What a PEP knows of a decision point. Two implementations: in the server's own process, and
 * AuthZEN over HTTP or a Unix socket. A PEP never sees Rego, WASM or the network.
 */
import type {
  DiscoveryRequest,
  EvaluationRequest,
  EvaluationResponse,
  EvaluationsResponse,
  OutcomeReport,
  Status,
  TurnedAwayReport,
} from './types.gen.ts';

export interface CallOptions {
  /** Aborted when the answer is no longer wanted. */
  signal?: AbortSignal;
}

export interface DescribeOptions extends CallOptions {
  /** Whose policy it is about, where each tenant has its own. */
  tenant?: string | undefined;
}

/** Each method rejects with a `PortcullisError` when there is no decision; the PEP then refuses. */
export interface DecisionPoint {
  /** Decides one call. A deny is a value. */
  decide(request: EvaluationRequest, options?: CallOptions): Promise<EvaluationResponse>;
  /** Decides what of a catalogue is visible: one answer for each entry, in order. */
  discover(request: DiscoveryRequest, options?: CallOptions): Promise<EvaluationsResponse>;
  /** Reports what was done with a decision. */
  report(outcome: OutcomeReport): Promise<void>;
  /** Reports callers that were turned away before anything was decided. */
  turnedAway(report: TurnedAwayReport): Promise<void>;
  /** Whether it is ready, its active policy, the arguments to send, the obligations it knows. */
  describe(options?: DescribeOptions): Promise<Status>;
  /**
   * Calls `listener` after each change of policy or data that concerns the subjects of `tenant`;
   * returns the way to stop.
   */
  watch(listener: (status: Status) => void, tenant?: string): () => void;
  /** Releases what it holds. */
  close(): Promise<void>;
}
