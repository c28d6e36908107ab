/**
 * `portcullis test`: what was tested is what runs. Every test of the author runs three times: in
 * OPA over the scanning router, in OPA over the generated one, and in the compiled WASM; a test
 * that does not pass everywhere fails, and the report says where.
 */
import { PortcullisError } from '../errors.ts';
import { findings, refuseFindings, type BuildOptions } from './build.ts';
import { measureCoverage, type Coverage } from './coverage.ts';
import { parsePolicy } from './policy.ts';
import type { Sources } from './sources.ts';
import { testCases, type TestCase } from './test_cases.ts';
import {
  bothAsIs,
  compiledVariant,
  isOfRouter,
  runInOpa,
  runInWasm,
  scanningVariant,
  VENUES,
  type OpaResult,
  type TestTools,
  type Venue,
  type Verdict,
  type Verdicts,
} from './test_venues.ts';

export interface TestResult {
  /** `mcp.rules.payments.refund_test.test_small` */
  name: string;
  file: string;
  row: number;
  verdicts: Partial<Record<Venue, Verdict>>;
  /** Passed wherever it ran. */
  passed: boolean;
  /** OPA and the compiled policy disagree. */
  disagreement: boolean;
  /** Where it failed in OPA, and what it printed there. */
  failed_at?: string;
  printed?: string;
}

export interface TestReport extends Coverage {
  tests: TestResult[];
  passed: number;
  failed: number;
}

/** Runs all tests of a policy. Throws `RULES_REFUSED` where the policy could not be built. */
export async function testPolicy(
  tools: TestTools,
  sources: Sources,
  options: BuildOptions = {},
): Promise<TestReport> {
  const policy = await parsePolicy(tools.opa, sources);
  refuseFindings(await findings(tools.opa, policy, options));
  const cases = testCases(policy);
  const library = options.entrypoint === undefined;
  const [scanning, compiled] = library
    ? [scanningVariant(policy), compiledVariant(policy)]
    : bothAsIs(policy);
  tools.progress(`running ${cases.length} tests in OPA`);
  const opa_scan = await runInOpa(tools.opa, policy, scanning);
  refuseUnknown(cases, opa_scan);
  const opa_static = library ? await runInOpa(tools.opa, policy, compiled) : undefined;
  tools.progress('compiling the tests and running them in WASM');
  const index = library ? tools.index : (data: Record<string, unknown>) => data;
  const wasm = await runInWasm({ ...tools, index }, policy, compiled, cases);
  const tests = cases.map((test) => judge(test, { opa_scan, opa_static, wasm }));
  const passed = tests.filter((test) => test.passed).length;
  const coverage = await measureCoverage(tools.opa, policy, scanning);
  return { tests, passed, failed: tests.length - passed, ...coverage };
}

/** What OPA ran and nobody judges would count as passed. */
function refuseUnknown(cases: readonly TestCase[], run: ReadonlyMap<string, OpaResult>): void {
  const known = new Set(cases.map(({ name }) => name));
  const unknown = [...run.keys()].filter((name) => !known.has(name));
  if (unknown.length === 0) return;
  const message = `OPA runs tests that nobody judges here: ${unknown.join(', ')}; rename them`;
  throw new PortcullisError('RULES_REFUSED', message);
}

interface Runs {
  opa_scan: ReadonlyMap<string, OpaResult>;
  opa_static: ReadonlyMap<string, OpaResult> | undefined;
  wasm: Verdicts;
}

/** The verdict of a test wherever its file runs. */
function verdictsOf(test: TestCase, runs: Runs): Partial<Record<Venue, Verdict>> {
  const venues = isOfRouter(test.file) ? (['opa_scan'] as const) : VENUES;
  const entries = venues.flatMap((venue) => {
    const run = runs[venue];
    return run ? [[venue, run.get(test.name) ?? 'fail'] as const] : [];
  });
  return Object.fromEntries(entries.map(([venue, result]) => [venue, verdictOf(result)]));
}

function verdictOf(result: OpaResult | Verdict): Verdict {
  return typeof result === 'string' ? result : result.verdict;
}

/** A test passes if it does wherever it runs. */
function judge(test: TestCase, runs: Runs): TestResult {
  const verdicts = verdictsOf(test, runs);
  const seen = new Set(Object.values(verdicts));
  const { name, file, row } = test;
  const told = [runs.opa_scan, runs.opa_static].map((run) => run?.get(name)).find(isFailure);
  return {
    name,
    file,
    row,
    verdicts,
    passed: seen.size === 1 && seen.has('pass'),
    disagreement: seen.size > 1,
    ...(told?.failed_at && { failed_at: told.failed_at }),
    ...(told?.printed && { printed: told.printed }),
  };
}

function isFailure(result: OpaResult | undefined): boolean {
  return result !== undefined && result.verdict !== 'pass';
}
