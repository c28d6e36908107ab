/**
 * A decision point that says what a test tells it to. It stands in only where the guard's own
 * handling of an answer is under test; policies are tested against the real core.
 */
import type { DecisionPoint } from '../../../src/contract/decision_point.ts';
import type {
  DiscoveryRequest,
  EvaluationRequest,
  EvaluationResponse,
  EvaluationsResponse,
  OutcomeReport,
  ResponseContext,
  Status,
  TurnedAwayReport,
} from '../../../src/contract/types.gen.ts';

export interface Script {
  decide?: (request: EvaluationRequest) => unknown;
  visible?: (name: string) => boolean;
  discover?: (request: DiscoveryRequest) => unknown;
  describe?: () => unknown;
  report?: (outcome: OutcomeReport) => unknown;
  turnedAway?: (report: TurnedAwayReport) => unknown;
}

export const PROJECTION = {
  digest: `sha256:${'0'.repeat(64)}`,
  pointers: { 'tool:payments/transfer': ['/amount'] },
};

export const READY: Status = { ready: true, arguments_projection: PROJECTION };

export class ScriptedDecisionPoint implements DecisionPoint {
  readonly decisions: EvaluationRequest[] = [];
  readonly discoveries: DiscoveryRequest[] = [];
  readonly reports: OutcomeReport[] = [];
  readonly turned_away: TurnedAwayReport[] = [];
  script: Script;
  readonly #listeners = new Set<(status: Status) => void>();

  constructor(script: Script = {}) {
    this.script = script;
  }

  async decide(request: EvaluationRequest): Promise<EvaluationResponse> {
    this.decisions.push(request);
    const { decide = () => allow() } = this.script;
    return (await decide(request)) as EvaluationResponse;
  }

  async discover(request: DiscoveryRequest): Promise<EvaluationsResponse> {
    this.discoveries.push(request);
    const { visible = () => true, discover } = this.script;
    if (discover) return (await discover(request)) as EvaluationsResponse;
    const evaluations = request.evaluations.map(({ resource }) => ({
      decision: visible(resource.id),
    }));
    return { evaluations };
  }

  async describe(): Promise<Status> {
    return (await (this.script.describe ?? (() => READY))()) as Status;
  }

  async report(outcome: OutcomeReport): Promise<void> {
    this.reports.push(outcome);
    await this.script.report?.(outcome);
  }

  async turnedAway(report: TurnedAwayReport): Promise<void> {
    this.turned_away.push(report);
    await this.script.turnedAway?.(report);
  }

  watch(listener: (status: Status) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  announce(status: Status): void {
    for (const listener of this.#listeners) listener(status);
  }

  async close(): Promise<void> {
    this.#listeners.clear();
  }
}

type Said = Partial<ResponseContext>;

export function allow(said: Said = {}): EvaluationResponse {
  return answer(true, { outcome: 'allow', reason_code: 'ALLOWED', ...said });
}

export function deny(said: Said = {}): EvaluationResponse {
  return answer(false, { outcome: 'deny', reason_code: 'CAPABILITY_NOT_ALLOWED', ...said });
}

export function hide(): EvaluationResponse {
  return deny({ visible: false, reason_code: 'CAPABILITY_NOT_VISIBLE' });
}

function answer(
  decision: boolean,
  said: Said & Pick<ResponseContext, 'outcome' | 'reason_code'>,
): EvaluationResponse {
  const context = { visible: true, constraints: {}, obligations: [], evaluation_id: 'e-1' };
  return { decision, context: { ...context, ...said } };
}
