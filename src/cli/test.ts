/** `portcullis test DIR`: each test of a policy, in OPA and in the compiled policy. */
import type { Variables } from '../config/environment.ts';
import { preparePolicyData } from '../bundle/policy_data.ts';
import { loadEngine } from '../engine/engine.ts';
import type { EngineLimits } from '../engine/types.ts';
import { buildPolicy } from '../toolchain/build.ts';
import type { Sources } from '../toolchain/sources.ts';
import { testPolicy, type TestReport, type TestResult } from '../toolchain/test.ts';
import type { TestTools } from '../toolchain/test_venues.ts';
import {
  openOpa,
  placeIn,
  readPolicySources,
  readSettings,
  type PolicyOptions,
} from './policy_tools.ts';
import { SILENT, verifyBundle } from './verify_bundle.ts';
import { print, printJson, printProgress, styled, type Terminal } from './terminal.ts';

export async function runTest(
  folder: string,
  options: PolicyOptions,
  terminal: Terminal,
  variables?: Variables,
): Promise<number> {
  const settings = readSettings(variables);
  const limits = settings.policy.evaluation;
  const sources = readPolicySources(folder, options, settings.policy);
  const tools: TestTools = {
    opa: await openOpa(terminal, settings.toolchain, variables),
    progress: (text) => printProgress(terminal, text),
    index: (data) => preparePolicyData({ own: data, library: true }).data,
    load: async (wasm, data) => {
      const engine = await loadEngine({ wasm, data, limits, log: SILENT });
      return {
        evaluate: (entrypoint) => engine.evaluate(entrypoint, '{}'),
        close: () => engine.close(),
      };
    },
  };
  const report = placed(folder, await testPolicy(tools, sources, options));
  await verifySelfTests(tools, sources, limits, options);
  if (options.json) printJson(terminal, report);
  else printReport(report, options, terminal);
  return passes(report, options) ? 0 : 1;
}

/** Self-tests run where the policy is activated; here that is tried once. */
async function verifySelfTests(
  { opa }: TestTools,
  sources: Sources,
  limits: EngineLimits,
  options: PolicyOptions,
): Promise<void> {
  if (sources.self_tests.length === 0) return;
  const { files } = await buildPolicy(opa, sources, options);
  await verifyBundle(files, limits, false);
}

/** No test at all proves nothing. */
function passes(report: TestReport, { strictStyle }: PolicyOptions): boolean {
  const covered = !strictStyle || report.coverage_percent === 100;
  return report.failed === 0 && report.passed > 0 && covered;
}

/** The report with paths that the user can open. */
function placed(folder: string, report: TestReport): TestReport {
  return {
    ...report,
    tests: report.tests.map((test) => ({
      ...test,
      file: placeIn(folder, test.file),
      ...(test.failed_at && { failed_at: placeIn(folder, test.failed_at) }),
    })),
    not_covered: Object.fromEntries(
      Object.entries(report.not_covered).map(([file, rows]) => [placeIn(folder, file), rows]),
    ),
  };
}

function printReport(report: TestReport, options: PolicyOptions, terminal: Terminal): void {
  const { stdout } = terminal;
  for (const test of report.tests.filter(({ passed }) => !passed)) {
    printFailure(test, terminal);
  }
  for (const [file, rows] of Object.entries(report.not_covered)) {
    print(terminal, `${file}: no test runs ${linesOf(rows)}`);
  }
  const { passed, failed, coverage_percent } = report;
  const fine = passes(report, options);
  const covered = coverage_percent === null ? '' : `, ${coverage_percent} % of the lines covered`;
  if (passed + failed === 0) print(terminal, 'there is no test: write one in a file `…_test.rego`');
  const summary = `${passed} passed, ${failed} failed${covered}`;
  print(terminal, styled(stdout, fine ? 'green' : 'red', summary));
}

function linesOf(rows: readonly number[]): string {
  return `${rows.length === 1 ? 'line' : 'lines'} ${rows.join(', ')}`;
}

function printFailure(test: TestResult, terminal: Terminal): void {
  const { stdout } = terminal;
  const place = styled(stdout, 'bold', `${test.file}:${test.row}`);
  const verdicts = Object.entries(test.verdicts).map(([venue, verdict]) => `${venue} ${verdict}`);
  print(terminal, `${place} ${styled(stdout, 'red', test.name)}`);
  print(terminal, `  ${verdicts.join(', ')}`);
  if (test.failed_at) print(terminal, `  failed at ${test.failed_at}`);
  for (const line of test.printed?.split('\n') ?? []) print(terminal, `  printed ${line}`);
  if (test.disagreement) print(terminal, '  OPA and the compiled policy disagree');
}
