/** The decision point in the server's own process: the same core, without a network. */
import type { CallOptions, DecisionPoint, DescribeOptions } from '../contract/decision_point.ts';
import { JSON_LIMITS, parseJson, type JsonLimits } from '../contract/json.ts';
import type {
  DiscoveryRequest,
  EvaluationRequest,
  EvaluationResponse,
  EvaluationsResponse,
  OutcomeReport,
  Status,
  TurnedAwayReport,
} from '../contract/types.gen.ts';
import { PortcullisError } from '../errors.ts';
import type { Caller, DecisionCore } from './types.ts';

/**
 * The core as a PEP in the same process asks it, under the name and scopes of `caller`; a larger
 * request than `request_bytes_max` is refused.
 */
export function embeddedDecisionPoint(
  core: DecisionCore,
  caller: Caller,
  request_bytes_max: number,
): DecisionPoint {
  return new EmbeddedDecisionPoint(core, caller, request_bytes_max);
}

class EmbeddedDecisionPoint implements DecisionPoint {
  readonly #core: DecisionCore;
  readonly #caller: Caller;
  readonly #limits: JsonLimits;
  readonly #stops = new Set<() => void>();

  constructor(core: DecisionCore, caller: Caller, request_bytes_max: number) {
    this.#core = core;
    this.#caller = caller;
    this.#limits = { ...JSON_LIMITS, size_bytes_max: request_bytes_max };
  }

  async decide(request: EvaluationRequest, options?: CallOptions): Promise<EvaluationResponse> {
    demandWanted(options);
    const { body } = await this.#core.evaluation(captured(request, this.#limits), this.#caller);
    return body as EvaluationResponse;
  }

  async discover(request: DiscoveryRequest, options?: CallOptions): Promise<EvaluationsResponse> {
    demandWanted(options);
    const { body } = await this.#core.evaluations(
      captured(request, this.#limits),
      this.#caller,
      options,
    );
    return body as EvaluationsResponse;
  }

  async report(outcome: OutcomeReport): Promise<void> {
    await this.#core.outcome(captured(outcome, this.#limits), this.#caller);
  }

  async turnedAway(report: TurnedAwayReport): Promise<void> {
    await this.#core.outcome(captured(report, this.#limits), this.#caller);
  }

  async describe({ tenant }: DescribeOptions = {}): Promise<Status> {
    return this.#core.status(tenant, this.#caller);
  }

  watch(listener: (status: Status) => void, tenant?: string): () => void {
    const stop = this.#core.watch(listener, tenant);
    this.#stops.add(stop);
    return () => {
      stop();
      this.#stops.delete(stop);
    };
  }

  /** Ends what is watched here; the core belongs to whoever made it. */
  async close(): Promise<void> {
    for (const stop of this.#stops) stop();
    this.#stops.clear();
  }
}

/**
 * The request as it would have arrived over a network: captured once, and I-JSON. A caller's text
 * may hold what no policy engine survives, such as a lone surrogate.
 */
function captured(message: object, limits: JsonLimits): unknown {
  const result = parseJson(textOf(message), limits);
  if (result.ok) return result.value;
  const { code, pointer } = result.fault;
  throw new PortcullisError(
    code === 'too_large' ? 'REQUEST_TOO_LARGE' : 'REQUEST_INVALID',
    `the request is ${code}`,
    { pointer },
  );
}

/** Nesting beyond the stack, or a cycle, has no text. */
function textOf(message: object): string {
  try {
    return JSON.stringify(message);
  } catch (cause) {
    throw new PortcullisError('REQUEST_INVALID', 'the request has no JSON text', { cause });
  }
}

function demandWanted(options: CallOptions | undefined): void {
  if (!options?.signal?.aborted) return;
  throw new PortcullisError('DECISION_POINT_UNREACHABLE', 'the call was given up before it began');
}
