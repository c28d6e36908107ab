/**
 * Makes a bundle ready to decide: builds the engine, tests the policy, records the activation. Only
 * what this returns takes the place of the policy before it.
 */
import type { Clock } from '../contract/ambient.ts';
import type { BundleMetadata, Policy, Projection } from '../contract/types.gen.ts';
import type { EngineLimits, EngineOptions, LoadEngine } from '../engine/types.ts';
import { PortcullisError } from '../errors.ts';
import type { EvidenceLog } from '../evidence/types.ts';
import { DETAIL_CHARACTERS_MAX } from './evidence_entry.ts';
import { testPolicy } from './self_test.ts';
import type { ActivePolicy } from './types.ts';
import { chooseEntrypoints, WasmPolicy } from './wasm_evaluator.ts';

/** A bundle with its data, as it was read. */
export interface Candidate {
  identity: Required<Policy>;
  wasm: Uint8Array;
  data: object;
  projection: Projection;
  metadata: BundleMetadata | undefined;
}

export interface ActivationParts {
  loadEngine: LoadEngine;
  limits: EngineLimits;
  /** The setting; it counts only together with the manifest's. */
  unsafe_allow_all: boolean;
  /** Whose policy it is, where each tenant has its own. */
  tenant?: string;
  clock: Clock;
  log: EngineOptions['log'];
  evidence: EvidenceLog;
}

/**
 * Rejects with `BUNDLE_INVALID`, `ENGINE_UNSUITED` or `BUNDLE_REFUSED` where the policy must not
 * decide, and with `EVIDENCE_UNWRITABLE` where its activation cannot be recorded.
 */
export async function activateBundle(
  bundle: Candidate,
  parts: ActivationParts,
): Promise<WasmPolicy> {
  const policy = await loadPolicy(bundle, parts);
  try {
    refuseUnmatchedMark(bundle, parts);
    await testPolicy(policy, bundle.metadata?.self_tests, policy.activated_at);
  } catch (error) {
    policy.close();
    await recordActivation(policy, parts.evidence, 'refused', error, parts.tenant);
    throw error;
  }
  await recordActivation(policy, parts.evidence, 'activated', undefined, parts.tenant);
  return policy;
}

async function loadPolicy(bundle: Candidate, parts: ActivationParts): Promise<WasmPolicy> {
  const { wasm, data, identity, projection, metadata } = bundle;
  const { loadEngine, limits, log, clock } = parts;
  const engine = await loadEngine({ wasm, data, limits, log });
  return new WasmPolicy({
    engine,
    entrypoints: chooseEntrypoints(engine.entrypoints, metadata),
    identity,
    projection,
    activated_at: new Date(clock.now_ms()).toISOString(),
    unsafe_allow_all: parts.unsafe_allow_all && metadata?.unsafe_allow_all === true,
  });
}

/** A bundle that was built to allow everything runs only where that was asked for. */
function refuseUnmatchedMark({ metadata }: Candidate, parts: ActivationParts): void {
  if (metadata?.unsafe_allow_all !== true || parts.unsafe_allow_all) return;
  const message = 'the bundle is marked unsafe_allow_all and policy.unsafe_allow_all is not set';
  throw new PortcullisError('BUNDLE_REFUSED', message);
}

/** Rejects with `EVIDENCE_UNWRITABLE`. */
export async function recordActivation(
  policy: Pick<ActivePolicy, 'identity' | 'unsafe_allow_all'>,
  evidence: EvidenceLog,
  status: 'activated' | 'refused',
  error?: unknown,
  tenant?: string,
): Promise<void> {
  const detail = error instanceof PortcullisError ? `${error.code}: ${error.message}` : undefined;
  await evidence.append({
    kind: 'activation',
    ...(tenant !== undefined && { tenant }),
    policy: policy.identity,
    ...(policy.unsafe_allow_all && { unsafe_allow_all: true }),
    status,
    ...(detail !== undefined && { detail: detail.slice(0, DETAIL_CHARACTERS_MAX) }),
  });
}
