/** What a soak has to show at its end: memory that stays flat, and evidence of what was told. */
import { readEvidence } from '../../src/evidence/read.ts';

export interface MemoryVerdict {
  /** Median of the second third of the samples: the first is warm-up. */
  middle_bytes: number;
  /** Median of the last third. */
  last_bytes: number;
  max_bytes: number;
  is_flat: boolean;
}

/** Growth of the median that is noise. */
const GROWTH_SHARE_MAX = 0.1;
const GROWTH_BYTES_MAX = 8 * 1024 * 1024;

export function judgeMemory(samples: readonly number[]): MemoryVerdict {
  const third = Math.floor(samples.length / 3);
  const middle_bytes = medianOf(samples.slice(third, 2 * third));
  const last_bytes = medianOf(samples.slice(2 * third));
  const allowed = Math.max(middle_bytes * GROWTH_SHARE_MAX, GROWTH_BYTES_MAX);
  const is_flat = third > 0 && last_bytes - middle_bytes <= allowed;
  return { middle_bytes, last_bytes, max_bytes: Math.max(0, ...samples), is_flat };
}

function medianOf(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;
}

export interface EvidenceVerdict {
  records: number;
  /** Ids that were told and have no record, or one of another outcome. */
  missing: string[];
  /** Decisions that were recorded and told to nobody: their callers had gone. */
  untold: number;
}

/** Compares what callers were told, by evaluation id, with the evidence. */
export async function judgeEvidence(
  directory: string,
  told: ReadonlyMap<string, string>,
): Promise<EvidenceVerdict> {
  const left = new Map(told);
  let records = 0;
  let untold = 0;
  for await (const { kind, evaluation_id, outcome } of readEvidence(directory)) {
    records += 1;
    if (evaluation_id === undefined || (kind !== 'decision' && kind !== 'discovery')) continue;
    const expected = told.get(evaluation_id);
    if (expected === undefined) untold += 1;
    else if (expected === (outcome ?? kind)) left.delete(evaluation_id);
  }
  return { records, missing: [...left.keys()], untold };
}
