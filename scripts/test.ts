/**
 * `npm test`: all tests of the code, then of the policies. With arguments, which go to Jest, only
 * those of the code. Ends with the line `N passed, N failed`, and `, N skipped` where the machine
 * lacks something; exits 1 on a failure.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  policyFolders,
  setUpOpa,
  testPolicyFolder,
  type Count,
  type OpaSetUp,
} from './test_policies.ts';

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
/** Many suites wait for processes of their own, so that one suite at a time leaves time unused. */
const WORKERS = Math.max(2, availableParallelism() - 1);

const NOTHING: Count = { passed: 0, failed: 0, skipped: 0 };

/** Jest in the same Node; it prints as it goes. */
function runJest(args: readonly string[], opa: string | undefined): Count {
  const folder = mkdtempSync(join(tmpdir(), 'portcullis-test-'));
  const report = join(folder, 'report.json');
  try {
    const jest = ['--experimental-vm-modules', '--no-warnings', 'node_modules/jest/bin/jest.js'];
    const options = ['--json', `--outputFile=${report}`, `--maxWorkers=${WORKERS}`];
    // Hundreds of processes of ours are started: what one compiled, the next one reads.
    const environment = { ...process.env, NODE_COMPILE_CACHE: join(folder, 'compiled') };
    spawnSync(process.execPath, [...jest, ...options, ...args], {
      cwd: TOP,
      env: opa === undefined ? environment : { ...environment, PORTCULLIS_OPA: opa },
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

/** The tests of policy folders; without OPA they are one failure under CI, else one skip. */
function runPolicies(folders: readonly string[], opa: OpaSetUp): Count[] {
  if ('path' in opa) return folders.map((folder) => testPolicyFolder(folder, opa.path));
  const needed = process.env.CI ? 'failed' : 'skipped';
  console.log(`${needed}: policy tests (needs OPA: ${opa.reason})`);
  return [{ ...NOTHING, [needed]: 1 }];
}

/** Runs Jest with these arguments, then the tests of these policy folders, and counts both. */
export async function runTests(
  args: readonly string[],
  folders: readonly string[],
): Promise<Count> {
  const opa = folders.length > 0 ? await setUpOpa() : undefined;
  const code = runJest(args, opa && 'path' in opa ? opa.path : undefined);
  const policies = opa ? runPolicies(folders, opa) : [];
  return [code, ...policies].reduce((sum, count) => ({
    passed: sum.passed + count.passed,
    failed: sum.failed + count.failed,
    skipped: sum.skipped + count.skipped,
  }));
}

if (import.meta.main) {
  const args = process.argv.slice(2);
  const { passed, failed, skipped } = await runTests(
    args,
    args.length === 0 ? policyFolders() : [],
  );
  process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
  console.log(`${passed} passed, ${failed} failed${skipped === 0 ? '' : `, ${skipped} skipped`}`);
}
