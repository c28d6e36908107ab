/** The shape of a figure, and what every row is handed. */
import type { Built } from '../bundle.ts';
import type { PolicyKind } from '../policy.ts';

/** One figure of the bench. */
export interface Row {
  name: string;
  policy?: PolicyKind;
  concurrency?: number;
  packages?: number;
  /** What each flush of ours took longer than the disk does. */
  added_flush_ms?: number;
  /** Ours over the reference's; the median over the rounds. */
  ratio: number;
  /** Lowest and highest ratio of any round. */
  spread: [number, number];
  reference: string;
  /** What is compared with the goal where that is not the ratio. */
  value?: number;
  /** `>= 3`; null where there is no goal. */
  goal: string | null;
  /** Null where there is no goal. */
  met: boolean | null;
  /** Of the ratio, or of the value where there is one. */
  unit: string;
  ours: Figures;
  theirs: Figures;
  /** How long the disk took to flush one record, before and after the runs (medians). */
  flush_us?: [number, number];
}

/** Medians over the rounds, each with its unit in its name. */
export type Figures = Record<string, number>;

export interface Bench {
  /** Path of OPA. */
  opa: string;
  /** Folder for policies, evidence and logs. */
  folder: string;
  seconds: number;
  rounds: number;
  /** A policy, built once, and the file of its questions. */
  policy(kind: PolicyKind, packages: number): Promise<{ built: Built; questions: string }>;
  /** Told what is under way. */
  progress(line: string): void;
  /** Adds to the conditions that are printed. */
  note(name: string, value: string): void;
}

/** Whether a goal such as `>= 3` or `< 1` is met by a number. */
export function isMet(goal: string, value: number): boolean {
  const [, sign, limit] = /^(>=|<=|<) ([\d.]+)$/u.exec(goal) ?? [];
  if (sign === '>=') return value >= Number(limit);
  if (sign === '<=') return value <= Number(limit);
  if (sign === '<') return value < Number(limit);
  throw new Error(`a goal that nobody can read: ${goal}`);
}
