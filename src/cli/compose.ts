/**
 * Where the concrete classes of a decision point are put together, for the service and for a guard
 * that decides in its own process. What is opened is closed in reverse, however far it came: each
 * step leaves its closing on the stack.
 */
import { openBundleSource } from '../bundle/source.ts';
import type { Configuration } from '../config/types.gen.ts';
import { activateBundle } from '../decision/activation.ts';
import { createDecisionCore } from '../decision/core.ts';
import type { DecisionCore } from '../decision/types.ts';
import { loadEngine } from '../engine/engine.ts';
import { PortcullisError } from '../errors.ts';
import type { EvidenceLog } from '../evidence/types.ts';
import type { Logger } from '../telemetry/logger.ts';
import { CLOCK, RANDOM } from './ambient.ts';
import { openEvidence } from './open_evidence.ts';

/**
 * Opens evidence, policy and core, in this order: nothing decides before its evidence can be kept,
 * and nothing is returned before a policy is active (ruling R18).
 */
export async function openDecisionCore(
  configuration: Configuration,
  log: Logger,
  opened: AsyncDisposableStack,
): Promise<DecisionCore> {
  const bundle = requireBundle(configuration);
  const evidence = await openEvidence(configuration, log);
  opened.defer(() => evidence.close());
  const evaluator = await openPolicy(bundle, configuration, evidence, log);
  opened.defer(() => evaluator.close());
  return createDecisionCore({
    evaluator,
    evidence,
    clock: CLOCK,
    random: RANDOM,
    settings: {
      instance: configuration.instance,
      sep_server: configuration.guard.server,
      batch_items_max: configuration.pdp.batch_items_max,
      batch_bytes_max: configuration.pdp.batch_bytes_max,
    },
  });
}

function requireBundle({ policy }: Configuration): string {
  if (policy.bundle !== null) return policy.bundle;
  const message = 'there is no policy to decide by: policy.bundle is not set';
  throw new PortcullisError('CONFIGURATION_INVALID', message, { pointer: '/policy/bundle' });
}

function openPolicy(bundle: string, { policy }: Configuration, evidence: EvidenceLog, log: Logger) {
  const { evaluation: limits, unsafe_allow_all } = policy;
  const parts = { loadEngine, limits, unsafe_allow_all, clock: CLOCK, log, evidence };
  return openBundleSource({
    settings: { ...policy, bundle },
    clock: CLOCK,
    log,
    activate: (candidate) => activateBundle(candidate, parts),
  });
}
