/**
 * `portcullis test`: what was tested is what runs. Every test of the author runs three times: in
 * OPA over the scanning router, in OPA over the generated one, and in the compiled WASM; a test
 * that does not pass everywhere fails, and the report says where.
 */
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
  const opa_static = library ? await runInOpa(tools.opa, policy, compiled) : undefined;
  tools.progress('compiling the tests and running them in WASM');
  const index = library ? tools.index : (data: Record<string, unknown>) => data;
  const wasm = await runInWasm({ ...tools, index }, policy, compiled, cases);
  const tests = cases.map((test) => judge(test, { opa_scan, opa_static, wasm }));
  const passed = tests.filter((test) => test.passed).length;
  const coverage = await measureCoverage(tools.opa, policy, scanning);
  return { tests, passed, failed: tests.length - passed, ...coverage };
}

/** A test passes if it does wherever its file runs. */
function judge(test: TestCase, runs: Record<Venue, Verdicts | undefined>): TestResult {
  const verdicts: Partial<Record<Venue, Verdict>> = {};
  for (const venue of VENUES) {
    const run = runs[venue];
    if (run && !(isOfRouter(test.file) && venue !== 'opa_scan')) {
      verdicts[venue] = run.get(test.name) ?? 'fail';
    }
  }
  const seen = new Set(Object.values(verdicts));
  const { name, file, row } = test;
  return {
    name,
    file,
    row,
    verdicts,
    passed: seen.size === 1 && seen.has('pass'),
    disagreement: seen.size > 1,
  };
}
