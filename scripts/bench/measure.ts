/** Runs rows one after the other; what cannot be measured is named and does not stop the others. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { setUpOpa } from '../test_policies.ts';
import { buildReference } from './bundle.ts';
import { measureFlush, readConditions, type Conditions } from './machine.ts';
import { questions } from './policy.ts';
import { ROWS } from './rows.ts';
import type { Bench, Row } from './rows/row.ts';

export interface BenchSettings {
  rows: readonly (keyof typeof ROWS)[];
  /** Of each run; there are several for each figure. */
  seconds: number;
  rounds: number;
  /** Folder on the disk to measure; a temporary folder in it is used. */
  folder: string;
  progress: (line: string) => void;
}

export interface BenchResult {
  rows: Row[];
  conditions: Conditions;
  /** What could not be measured, and why. */
  failures: { row: string; reason: string }[];
}

const QUESTIONS = 1_000;

export async function measure(settings: BenchSettings): Promise<BenchResult> {
  const folder = mkdtempSync(join(settings.folder, 'portcullis-bench-'));
  try {
    return await measureIn(folder, settings);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measureIn(folder: string, settings: BenchSettings): Promise<BenchResult> {
  const opa = await setUpOpa();
  if ('reason' in opa) throw new Error(`the bench needs OPA: ${opa.reason}`);
  const result: BenchResult = {
    rows: [],
    conditions: readConditions(folder, settings),
    failures: [],
  };
  const bench = benchIn(folder, opa.path, settings, result);
  for (const name of settings.rows) {
    try {
      const before = measureFlush(folder);
      const rows = await ROWS[name](bench);
      const flush_us: [number, number] = [before, measureFlush(folder)];
      result.rows.push(...rows.map((row) => ({ ...row, flush_us })));
    } catch (error) {
      result.failures.push({
        row: name,
        reason: error instanceof Error ? `${error.stack}` : String(error),
      });
    }
  }
  result.conditions.load = [result.conditions.load[0], loadavg()[0] as number];
  return result;
}

function benchIn(
  folder: string,
  opa: string,
  { seconds, rounds, progress }: BenchSettings,
  { conditions }: BenchResult,
): Bench {
  const known = new Map<string, ReturnType<Bench['policy']>>();
  return {
    opa,
    folder,
    seconds,
    rounds,
    progress,
    note: (name, value) => {
      conditions[name] = value;
    },
    policy(kind, packages) {
      const key = `${kind} ${packages}`;
      const policy = known.get(key) ?? build(opa, kind, packages, folder);
      known.set(key, policy);
      return policy;
    },
  };
}

async function build(
  opa: string,
  kind: Parameters<Bench['policy']>[0],
  packages: number,
  folder: string,
): ReturnType<Bench['policy']> {
  const built = await buildReference(opa, kind, packages, folder);
  const file = join(folder, `questions_${kind}_${packages}.json`);
  writeFileSync(file, JSON.stringify(questions(QUESTIONS, built.projection)));
  return { built, questions: file };
}
