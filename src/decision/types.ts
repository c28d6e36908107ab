/** The shapes round the decision core: what stands behind it, and who stands before it. */
import type { CallOptions } from '../contract/decision_point.ts';
import type { Policy, Projection, Resource, Status } from '../contract/types.gen.ts';

/** What a policy sees as `input`: the request, completed by the decision point. */
export interface PolicyInput {
  subject: object;
  action: object;
  resource?: object;
  context: object;
}

/** One way to decide: a compiled policy, an OPA server, a static file, another AuthZEN PDP. */
export interface Evaluator {
  /** Each tenant is decided by a policy of its own; absent where one policy decides for all. */
  readonly per_tenant?: true;
  /**
   * The policy in force at this moment: that of `tenant` where each has its own. Throws
   * `POLICY_ABSENT` where there is none, or too old.
   */
  current(tenant?: string): ActivePolicy;
  /**
   * Calls `listener` after each change of policy or data, with the tenant whose policy it is;
   * returns the way to stop.
   */
  watch(listener: (tenant?: string) => void): () => void;
}

/** A policy that does not change while it is held: a request is decided by one policy only. */
export interface ActivePolicy {
  readonly identity: Required<Policy>;
  readonly projection: Projection;
  readonly activated_at: string;
  /** The bundle may allow everything; stamped on each record. */
  readonly unsafe_allow_all: boolean;
  /** The raw result for one input, still to be judged; undefined where the policy yields none. */
  evaluate(input: PolicyInput): Promise<unknown> | unknown;
  /**
   * Still to be judged: positions of the visible resources, in any order, or one `[visible,
   * reason_code, rules]` for each resource.
   */
  list(input: PolicyInput, resources: readonly Resource[]): Promise<unknown> | unknown;
  /**
   * The mask of the policy for one event of the decision log, still to be judged; undefined where
   * it yields none. Absent where the policy has no mask.
   */
  mask?: ((event: MaskEvent) => unknown) | undefined;
  /** Why the policy says what it says to an input, for operators; without text of the input. */
  explain?(input: PolicyInput): string;
}

/** A decision as OPA's decision log tells it (OPA documentation, "Decision Logs"). */
export interface MaskEvent {
  decision_id: string;
  /** Which of the policy's entrypoints was asked. */
  about: 'decision' | 'discovery';
  /** What the policy saw; of a list, with its `resources`. */
  input: object;
  result: unknown;
  requested_by: string;
  /** RFC 3339, UTC. */
  timestamp: string;
}

/** What a caller of the decision point may do. The table of routes names one for each. */
export type Scope = 'decide' | 'attest:actor' | 'search' | 'approve' | 'evidence' | 'administer';

/** Who calls the decision point, as its channel proves it. */
export interface Caller {
  id: string;
  /** This process, the path of a socket, a token over TCP, or a certificate of the client. */
  channel: 'embedded' | 'socket' | 'tcp' | 'mtls';
  scopes: ReadonlySet<Scope>;
  /** Tenants whose subjects it may ask for; absent: those of any tenant, and of none. */
  tenants?: ReadonlySet<string>;
}

/** The decision core as the HTTP service and the embedded decision point know it. */
export interface DecisionCore {
  /** One AuthZEN evaluation, MCP-profiled or plain. Throws `REQUEST_INVALID` with a pointer. */
  evaluation(body: unknown, caller: Caller): Promise<EvaluationAnswer>;
  /**
   * A batch; a discovery iff `options.portcullis.discovery` is present. Once the answer is no
   * longer wanted nothing more is decided, and it throws `DECISION_POINT_UNREACHABLE`.
   */
  evaluations(body: unknown, caller: Caller, options?: CallOptions): Promise<EvaluationAnswer>;
  /** The external decision profile of the SEP. */
  sepDecision(body: unknown, caller: Caller): Promise<EvaluationAnswer>;
  /** What a PEP did with a decision, or with several; resolves when all of it is recorded. */
  outcome(body: unknown, caller: Caller): Promise<OutcomeReceipt>;
  /**
   * Of the service; or of the policy that decides for a tenant, where `caller` may ask for that.
   */
  status(tenant?: string, caller?: Caller): Status;
  /** Calls `listener` after each change of the policy that decides for `tenant`. */
  watch(listener: (status: Status) => void, tenant?: string): () => void;
}

/** How much of a report became a record now, and how much was one before. */
export interface OutcomeReceipt {
  recorded: number;
  repeated: number;
}

/** A body ready to send, and the id that stands in the header where the body may not carry it. */
export interface EvaluationAnswer {
  body: object;
  evaluation_id: string;
}
