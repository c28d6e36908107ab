/**
 * Where the concrete classes of a decision point are put together, for the service and for a guard
 * that decides in its own process. What is opened is closed in reverse, however far it came: each
 * step leaves its closing on the stack.
 */
import type { Configuration } from '../config/types.gen.ts';
import { createDecisionCore } from '../decision/core.ts';
import type { DecisionCore } from '../decision/types.ts';
import { nodeFiles } from '../evidence/files.ts';
import { readRecords } from '../evidence/records.ts';
import type { EvidenceEntry, ProvableLog } from '../evidence/types.ts';
import type { Logger } from '../telemetry/logger.ts';
import { CLOCK, RANDOM } from './ambient.ts';
import { openEvaluator, requirePolicy } from './evaluators.ts';
import { openEvidence } from './open_evidence.ts';
import { startExports } from './open_exports.ts';
import { VERSION } from './version.ts';

/**
 * Opens evidence, its exports, policy and core, in this order: nothing decides before its evidence
 * can be kept, and nothing is returned before a policy is active (ruling R18).
 */
export async function openDecisionCore(
  configuration: Configuration,
  log: Logger,
  opened: AsyncDisposableStack,
): Promise<{ core: DecisionCore; evidence: ProvableLog }> {
  requirePolicy(configuration);
  const written = await openEvidence(configuration, log);
  opened.defer(() => written.close());
  const exports = await startExports(configuration, written, log);
  opened.defer(() => exports.close());
  const { evidence } = exports;
  await evidence.append({ kind: 'start', detail: `portcullis ${VERSION}` });
  opened.defer(() => recordStop(evidence, log));
  const lately = await readLately(configuration, evidence.status().size);
  const evaluator = await openEvaluator(configuration, { evidence, log });
  opened.defer(() => evaluator.close());
  const core = createDecisionCore({
    evaluator,
    evidence,
    clock: CLOCK,
    random: RANDOM,
    outcomes: { ...configuration.evidence, lately },
    settings: {
      instance: configuration.instance,
      sep_server: configuration.guard.server,
      batch_items_max: configuration.pdp.batch_items_max,
      batch_bytes_max: configuration.pdp.batch_bytes_max,
      arguments: configuration.evidence.arguments,
    },
  });
  return { core, evidence };
}

/** A start that follows no stop tells of a process that was killed. */
async function recordStop(evidence: ProvableLog, log: Logger): Promise<void> {
  try {
    await evidence.append({ kind: 'stop' });
  } catch (error) {
    log.error('the stop could not be recorded', { error });
  }
}

/** The last records, among which are outcomes that a guard may send again. */
async function readLately(
  { evidence }: Configuration,
  size: number,
): Promise<readonly EvidenceEntry[]> {
  const { directory, outcome_memory_records_max } = evidence;
  const from = Math.max(0, size - outcome_memory_records_max);
  const lately: EvidenceEntry[] = [];
  for await (const { record } of readRecords(nodeFiles, directory, from, size)) {
    if (record.kind.startsWith('outcome')) lately.push(record);
  }
  return lately;
}
