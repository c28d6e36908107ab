/** A record of the evidence log as a person reads it. */
import type { EvidenceRecord } from '../../src/contract/types.gen.ts';

/** What the story compares: kind, outcome, reason, and obligations. */
export function recordedAs(record: EvidenceRecord): string {
  const { kind, outcome, reason_code, obligations = [], shown = [], withheld = [] } = record;
  if (kind === 'discovery') return `discovery: ${shown.length} shown, ${withheld.length} withheld`;
  if (kind !== 'decision') return kind;
  return [`decision: ${outcome} ${reason_code}`, ...obligations].join(', ');
}

/** The record with its place in the log and the policy that decided. */
export function evidenceLine(record: EvidenceRecord): string {
  const { index, policy, rules = [] } = record;
  const by = rules.length > 0 ? ` by ${rules.join(', ')}` : '';
  return `#${index} ${recordedAs(record)}${by}, policy ${policy?.digest.slice(7, 19) ?? 'none'}`;
}
