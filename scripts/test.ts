/**
 * `npm test`: all tests of the code, then of the policies. With arguments, which go to Jest, only
 * those of the code. Ends with the line `N passed, N failed`, and `, N skipped` where the machine
 * lacks something; exits 1 on a failure.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { policyFolders, setUpOpa, testPolicyFolder, type Count } from './test_policies.ts';

/** The members of Jest's JSON report that are read here. */
interface JestReport {
  numPassedTests: number;
  numFailedTests: number;
  numPendingTests: number;
  numTodoTests: number;
  /** Suites that failed before they had a test. */
  numRuntimeErrorTestSuites: number;
  testResults: { assertionResults: { status: string; ancestorTitles: string[] }[] }[];
}

const TOP = join(import.meta.dirname, '..');
const NOTHING: Count = { passed: 0, failed: 0, skipped: 0 };

/** Jest in the same Node; it prints as it goes. */
function runJest(args: readonly string[], opa: string | undefined): Count {
  const folder = mkdtempSync(join(tmpdir(), 'portcullis-test-'));
  const report = join(folder, 'report.json');
  try {
    const jest = ['--experimental-vm-modules', '--no-warnings', 'node_modules/jest/bin/jest.js'];
    const output = ['--json', `--outputFile=${report}`];
    spawnSync(process.execPath, [...jest, ...output, ...args], {
      cwd: TOP,
      env: opa === undefined ? process.env : { ...process.env, PORTCULLIS_OPA: opa },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    return countJest(JSON.parse(readFileSync(report, 'utf8')) as JestReport);
  } catch (error) {
    console.error('jest ended without a report', error);
    return { ...NOTHING, failed: 1 };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function countJest(report: JestReport): Count {
  for (const title of skippedSuites(report)) console.log(`skipped: ${title}`);
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + report.numRuntimeErrorTestSuites,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

/** The names of skipped suites, which say what they need (test/support/prerequisite.ts). */
function skippedSuites(report: JestReport): Set<string> {
  const skipped = report.testResults
    .flatMap(({ assertionResults }) => assertionResults)
    .filter(({ status }) => status !== 'passed' && status !== 'failed');
  return new Set(skipped.map(({ ancestorTitles }) => ancestorTitles.join(' › ')));
}

/** Every test of every policy; without OPA they are one failure under CI, else one skip. */
function runPolicies(opa: Awaited<ReturnType<typeof setUpOpa>>): Count[] {
  if ('path' in opa) return policyFolders().map((folder) => testPolicyFolder(folder, opa.path));
  const needed = process.env.CI ? 'failed' : 'skipped';
  console.log(`${needed}: policy tests (needs OPA: ${opa.reason})`);
  return [{ ...NOTHING, [needed]: 1 }];
}

const args = process.argv.slice(2);
const opa = args.length === 0 ? await setUpOpa() : undefined;
const counts = [runJest(args, opa && 'path' in opa ? opa.path : undefined)];
if (opa) counts.push(...runPolicies(opa));

const total = (member: keyof Count): number => counts.reduce((sum, at) => sum + at[member], 0);
const skipped = total('skipped') === 0 ? '' : `, ${total('skipped')} skipped`;
process.exitCode = total('failed') === 0 && total('passed') > 0 ? 0 : 1;
console.log(`${total('passed')} passed, ${total('failed')} failed${skipped}`);
