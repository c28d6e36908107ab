/** What a decision point would do with a bundle, tried before anybody relies on it. */
import { layPolicyData, readBundle } from '../bundle/bundle.ts';
import type { BundleFiles } from '../bundle/files.ts';
import { activateBundle } from '../decision/activation.ts';
import { loadEngine } from '../engine/engine.ts';
import type { EngineLimits } from '../engine/types.ts';
import type { EvidenceLog } from '../evidence/types.ts';
import type { Logger } from '../telemetry/logger.ts';
import { CLOCK } from './ambient.ts';

/** A trial speaks through its result; what the engine would log of it is noise. */
export const SILENT: Logger = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  child: () => SILENT,
};

/** A trial leaves no record. */
const NO_EVIDENCE: EvidenceLog = {
  append: () => Promise.resolve(0),
  status: () => ({ writable: true, size: 0 }),
  close: () => Promise.resolve(),
};

/**
 * Activates the bundle and lets it go again: its data fits, its builtins are there, nobody is
 * denied, and its self-tests hold. Rejects as the activation would.
 */
export async function verifyBundle(
  files: BundleFiles,
  limits: EngineLimits,
  unsafe_allow_all: boolean,
): Promise<void> {
  const policy = await activateBundle(layPolicyData(readBundle(files)), {
    loadEngine,
    limits,
    unsafe_allow_all,
    clock: CLOCK,
    log: SILENT,
    evidence: NO_EVIDENCE,
  });
  policy.close();
}
