/**
 * What can decide behind the core (`policy.backend`): one row for each, which opens it. Everything
 * else of a decision point is the same for all of them.
 */
import { RBAC_FILES } from '../bundle/rbac_file.ts';
import { openBundleSource, openSource } from '../bundle/source.ts';
import { openTenants } from '../bundle/tenants.ts';
import type { Configuration } from '../config/types.gen.ts';
import { activateBundle } from '../decision/activation.ts';
import { authzenPdp } from '../decision/authzen_pdp/backend.ts';
import { opaServer } from '../decision/opa_server/backend.ts';
import { sepPdp } from '../decision/sep_pdp/backend.ts';
import { activateRbac } from '../decision/static_rbac/activation.ts';
import type { Evaluator } from '../decision/types.ts';
import { loadEngine } from '../engine/engine.ts';
import { PortcullisError } from '../errors.ts';
import type { EvidenceLog } from '../evidence/types.ts';
import { METHODS } from '../pep/methods.ts';
import type { Logger } from '../telemetry/logger.ts';
import { CLOCK } from './ambient.ts';
import { openPolicyServer } from './policy_server.ts';

/** What each is handed beside its settings. */
export interface EvaluatorParts {
  evidence: EvidenceLog;
  log: Logger;
}

export type OpenedEvaluator = Evaluator & { close(): Promise<void> };

type Settings = Configuration['policy'];

interface Backend {
  /** The setting that says where the policy is. */
  needs: keyof Settings;
  /** Resolves when it decides. Rejects with the reason why it must not. */
  open(settings: Settings, parts: EvaluatorParts): Promise<OpenedEvaluator>;
}

const BACKENDS: Readonly<Record<Settings['backend'], Backend>> = {
  wasm: { needs: 'bundle', open: openWasm },
  static_rbac: { needs: 'rbac_file', open: openStaticRbac },
  opa: {
    needs: 'remote',
    open: (policy, parts) =>
      openPolicyServer(policy, parts, (client, { path, ...settings }) =>
        opaServer(client, { ...settings, path: String(path) }),
      ),
  },
  authzen: {
    needs: 'remote',
    open: (policy, parts) => openPolicyServer(policy, parts, authzenPdp),
  },
  sep: { needs: 'remote', open: (policy, parts) => openPolicyServer(policy, parts, sepPdp) },
};

/** Throws `CONFIGURATION_INVALID` where it is not said what to decide by. */
export function requirePolicy({ policy }: Configuration): void {
  const { needs } = BACKENDS[policy.backend];
  if (policy[needs] !== null || policy.tenants !== null) return;
  const message = `there is no policy to decide by: policy.${needs} is not set`;
  throw new PortcullisError('CONFIGURATION_INVALID', message, { pointer: `/policy/${needs}` });
}

export function openEvaluator(
  { policy }: Configuration,
  parts: EvaluatorParts,
): Promise<OpenedEvaluator> {
  return BACKENDS[policy.backend].open(policy, parts);
}

function openWasm(policy: Settings, { evidence, log }: EvaluatorParts): Promise<OpenedEvaluator> {
  const { evaluation: limits, unsafe_allow_all } = policy;
  const parts = { loadEngine, limits, unsafe_allow_all, clock: CLOCK, log, evidence };
  const { tenants } = policy;
  if (tenants !== null) {
    return openTenants({
      settings: { ...policy, tenants },
      clock: CLOCK,
      log,
      activate: (candidate, tenant) => activateBundle(candidate, { ...parts, tenant }),
    });
  }
  return openBundleSource({
    settings: { ...policy, bundle: String(policy.bundle) },
    clock: CLOCK,
    log,
    activate: (candidate) => activateBundle(candidate, parts),
  });
}

function openStaticRbac(
  policy: Settings,
  { evidence, log }: EvaluatorParts,
): Promise<OpenedEvaluator> {
  return openSource({
    settings: { ...policy, bundle: String(policy.rbac_file), data: null },
    reader: RBAC_FILES,
    clock: CLOCK,
    log,
    activate: (file) => activateRbac(file, { methods: METHODS, clock: CLOCK, evidence }),
  });
}
