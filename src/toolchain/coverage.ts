/** Which lines of a policy its tests evaluate. */
import type { Opa } from './opa_run.ts';
import type { ParsedPolicy } from './policy.ts';
import { staged } from './stage.ts';
import { testFiles, type Variant } from './test_venues.ts';

export interface Coverage {
  /** Share of the author's lines that the tests evaluate, in per cent; null where a test failed. */
  coverage_percent: number | null;
  /** Lines that no test evaluates, by file. */
  not_covered: Record<string, number[]>;
}

interface OpaCoverage {
  coverage?: number;
  files?: Record<
    string,
    { covered_lines?: number; not_covered_lines?: number; not_covered?: Range[] }
  >;
}

interface Range {
  start: { row: number };
  end: { row: number };
}

/** Coverage of the subject's own rules; OPA measures none where a test fails. */
export async function measureCoverage(
  opa: Opa,
  policy: ParsedPolicy,
  variant: Variant,
): Promise<Coverage> {
  return staged(testFiles(policy, variant), async (cwd) => {
    const { code, stdout } = await opa(['test', '--coverage', '--format', 'json', '.'], { cwd });
    if (code !== 0) return { coverage_percent: null, not_covered: {} };
    const { files = {} } = JSON.parse(stdout || '{}') as OpaCoverage;
    const { subject } = policy.sources;
    const own = Object.entries(files).filter(([path]) => isMeasured(path, subject));
    const covered = sum(own.map(([, file]) => file.covered_lines ?? 0));
    const missed = sum(own.map(([, file]) => file.not_covered_lines ?? 0));
    const total = covered + missed;
    return {
      coverage_percent: total === 0 ? 100 : Math.floor((covered / total) * 10_000) / 100,
      not_covered: Object.fromEntries(
        own.flatMap(([path, file]) => uncovered(path, file.not_covered)),
      ),
    };
  });
}

function isMeasured(path: string, subject: string): boolean {
  return path.startsWith(`${subject}/`) && !path.endsWith('_test.rego');
}

function uncovered(path: string, ranges: readonly Range[] = []): [string, number[]][] {
  const rows = ranges.flatMap(({ start, end }) =>
    Array.from({ length: end.row - start.row + 1 }, (_, i) => start.row + i),
  );
  return rows.length > 0 ? [[path, [...new Set(rows)].sort((a, b) => a - b)]] : [];
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
