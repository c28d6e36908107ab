/**
 * A decision point in another process: AuthZEN over HTTP, on a Unix socket or on TCP. Whatever is
 * not a proven, well-formed decision for this very request is an error, and the PEP then refuses.
 */
import type { Clock, Random } from '../../contract/ambient.ts';
import type { DecisionPoint, DescribeOptions } from '../../contract/decision_point.ts';
import type {
  EvaluationRequest,
  EvaluationResponse,
  OutcomeBatch,
  Status,
} from '../../contract/types.gen.ts';
import { VALIDATORS, type Validator } from '../../contract/validate.ts';
import { openExchanger, unreachable, type RemoteAddress } from './exchange.ts';
import { createWatcher, Watchers } from './watcher.ts';

export interface RemoteSettings {
  address: RemoteAddress;
  /** For one request, from its start to the last byte of its answer. */
  timeout_ms: number;
  /** Between two looks at the status while somebody watches. */
  watch_interval_ms: number;
  answer_bytes_max: number;
  connections_max: number;
}

const PATHS = {
  evaluation: '/access/v1/evaluation',
  evaluations: '/access/v1/evaluations',
  outcomes: '/v1/outcomes',
  status: '/v1/status',
} as const;

export interface RemoteDecisionPoint extends DecisionPoint {
  /**
   * Reports several outcomes at once; resolves when all are recorded. Rejects with
   * `OUTCOME_REFUSED` where they never will be, as they are.
   */
  deliver(batch: OutcomeBatch): Promise<void>;
}

/** Opens no connection yet. Throws `CONFIGURATION_INVALID` where the address is none. */
export function remoteDecisionPoint(
  settings: RemoteSettings,
  random: Random,
  clock: Clock,
): RemoteDecisionPoint {
  const exchanger = openExchanger(settings, random, clock);

  async function describe({ tenant, signal }: DescribeOptions = {}): Promise<Status> {
    const query = tenant === undefined ? '' : `?tenant=${encodeURIComponent(tenant)}`;
    const path = `${PATHS.status}${query}`;
    const status = requireShape(
      VALIDATORS.status,
      await exchanger.send({ method: 'GET', path, signal }),
    );
    watchers.of(tenant)?.observe(status);
    return status;
  }

  const watchers = new Watchers((tenant) =>
    createWatcher(() => describe({ tenant }), settings.watch_interval_ms),
  );

  return {
    async decide(body, options = {}) {
      const request = { method: 'POST', path: PATHS.evaluation, body, ...options } as const;
      const response = requireShape(VALIDATORS.evaluation_response, await exchanger.send(request));
      requireConsistent(response);
      watchers.of(tenantIn(body))?.observePolicy(response.context.policy?.digest);
      return response;
    },
    async discover(body, options = {}) {
      const request = { method: 'POST', path: PATHS.evaluations, body, ...options } as const;
      const response = requireShape(VALIDATORS.evaluations_response, await exchanger.send(request));
      requireLength(response.evaluations, body.evaluations.length);
      watchers.of(tenantIn(body))?.observePolicy(response.evaluations[0]?.context?.policy?.digest);
      return response;
    },
    async report(body) {
      await exchanger.send({ method: 'POST', path: PATHS.outcomes, body });
    },
    async deliver(body) {
      await exchanger.send({ method: 'POST', path: PATHS.outcomes, body, tells_refusal: true });
    },
    async turnedAway(body) {
      await exchanger.send({ method: 'POST', path: PATHS.outcomes, body });
    },
    describe,
    watch: (listener, tenant) => watchers.add(listener, tenant),
    async close() {
      watchers.close();
      await exchanger.close();
    },
  };
}

function tenantIn({ subject }: Pick<EvaluationRequest, 'subject'>): string | undefined {
  return subject.properties?.tenant;
}

function requireShape<V>(validate: Validator<V>, answer: unknown): V {
  const result = validate(answer);
  if (result.ok) return result.value;
  const { pointer, keyword } = result.fault;
  throw unreachable(`its answer is not of the agreed shape (${keyword} at \`${pointer}\`)`);
}

/** `decision` is what a simple client reads and `outcome` what ours does: they must agree. */
function requireConsistent({ decision, context }: EvaluationResponse): void {
  if (decision && context.outcome !== 'allow') throw unreachable('its answer contradicts itself');
}

function requireLength(answers: readonly unknown[], asked: number): void {
  if (answers.length !== asked) {
    throw unreachable(`it answered ${answers.length} of ${asked} entries`);
  }
}
