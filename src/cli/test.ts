/** `portcullis test DIR`: each test of a policy, in OPA and in the compiled policy. */
import type { Variables } from '../config/environment.ts';
import { preparePolicyData } from '../bundle/policy_data.ts';
import { loadEngine } from '../engine/engine.ts';
import type { Logger } from '../telemetry/logger.ts';
import { testPolicy, type TestReport, type TestResult } from '../toolchain/test.ts';
import type { TestTools } from '../toolchain/test_venues.ts';
import { openOpa, placeIn, readPolicySources, type PolicyOptions } from './policy_tools.ts';
import { print, printJson, printProgress, styled, type Terminal } from './terminal.ts';

const LIMITS = {
  input_bytes_max: 1_048_576,
  evaluations_per_instance_max: 1_000_000,
  memory_pages_max: 4_096,
};

/** Tests speak through their verdicts; what the engine would log of them is noise. */
const SILENT: Logger = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  child: () => SILENT,
};

export async function runTest(
  folder: string,
  options: PolicyOptions,
  terminal: Terminal,
  variables?: Variables,
): Promise<number> {
  const sources = readPolicySources(folder, options);
  const tools: TestTools = {
    opa: await openOpa(terminal, variables),
    progress: (text) => printProgress(terminal, text),
    index: (data) => preparePolicyData({ own: data, library: true }).data,
    load: async (wasm, data) => {
      const engine = await loadEngine({ wasm, data, limits: LIMITS, log: SILENT });
      return {
        evaluate: (entrypoint) => engine.evaluate(entrypoint, '{}'),
        close: () => engine.close(),
      };
    },
  };
  const report = await testPolicy(tools, sources, options);
  if (options.json) printJson(terminal, report);
  else printReport(folder, report, options, terminal);
  return passes(report, options) ? 0 : 1;
}

/** No test at all proves nothing. */
function passes(report: TestReport, { strictStyle }: PolicyOptions): boolean {
  const covered = !strictStyle || report.coverage_percent === 100;
  return report.failed === 0 && report.passed > 0 && covered;
}

function printReport(
  folder: string,
  report: TestReport,
  options: PolicyOptions,
  terminal: Terminal,
): void {
  const { stdout } = terminal;
  for (const test of report.tests.filter(({ passed }) => !passed)) {
    printFailure(folder, test, terminal);
  }
  for (const [file, rows] of Object.entries(report.not_covered)) {
    print(terminal, `${placeIn(folder, file)} lines ${rows.join(', ')} are run by no test`);
  }
  const { passed, failed, coverage_percent } = report;
  const fine = passes(report, options);
  const covered = coverage_percent === null ? '' : `, ${coverage_percent} % of the lines covered`;
  const summary = `${passed} passed, ${failed} failed${covered}`;
  print(terminal, styled(stdout, fine ? 'green' : 'red', summary));
}

function printFailure(folder: string, test: TestResult, terminal: Terminal): void {
  const { stdout } = terminal;
  const place = styled(stdout, 'bold', `${placeIn(folder, test.file)}:${test.row}`);
  const verdicts = Object.entries(test.verdicts).map(([venue, verdict]) => `${venue} ${verdict}`);
  print(terminal, `${place} ${styled(stdout, 'red', test.name)}`);
  print(terminal, `  ${verdicts.join(', ')}`);
  if (test.disagreement) print(terminal, '  OPA and the compiled policy disagree');
}
