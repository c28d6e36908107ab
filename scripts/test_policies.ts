/** The policy tests of `npm test`: each folder as `portcullis test` runs it. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { findOpa } from '../src/toolchain/opa.ts';
import { readSettings } from '../src/cli/policy_tools.ts';

/** How many tests of a run passed, failed or were skipped. */
export interface Count {
  passed: number;
  failed: number;
  skipped: number;
}

/** What is read here of the answer of `portcullis test --json`. */
interface Report {
  passed: number;
  failed: number;
  not_covered: Record<string, number[]>;
  tests: { name: string; passed: boolean; verdicts: Record<string, string> }[];
}

const TOP = join(import.meta.dirname, '..');

/** The path of OPA, or why there is none. */
export type OpaSetUp = { path: string } | { reason: string };

/** Sets OPA up once, before many processes would. */
export async function setUpOpa(): Promise<OpaSetUp> {
  try {
    const path = await findOpa({
      ...readSettings().toolchain,
      opa: process.env.PORTCULLIS_OPA,
      environment: process.env,
      cache: join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'portcullis'),
      progress: (line) => console.error(line),
    });
    return { path };
  } catch (error) {
    return { reason: error instanceof Error ? error.message : String(error) };
  }
}

/** The library, and each policy of the examples that brings tests. */
export function policyFolders(): string[] {
  const policies = join('examples', 'policies');
  const written = existsSync(join(TOP, policies)) ? readdirSync(join(TOP, policies)) : [];
  const examples = [
    join('examples', 'payments-server', 'policy'),
    ...written.map((name) => join(policies, name)),
  ];
  return [join('policies', 'mcp'), ...examples.filter(bringsTests)];
}

function bringsTests(folder: string): boolean {
  if (!existsSync(join(TOP, folder))) return false;
  const files = readdirSync(join(TOP, folder), { recursive: true, encoding: 'utf8' });
  return files.some((name) => name.endsWith('_test.rego'));
}

/** Runs the tests of one folder and prints what failed. */
export function testPolicyFolder(folder: string, opa: string): Count {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['bin/portcullis.js', 'test', folder, '--json', '--strict-style'],
    { cwd: TOP, env: { ...process.env, PORTCULLIS_OPA: opa }, encoding: 'utf8' },
  );
  const report = readReport(stdout);
  if (!report) {
    console.log(`FAIL ${folder}\n${stderr}`);
    return { passed: 0, failed: 1, skipped: 0 };
  }
  for (const { name, verdicts } of report.tests.filter(({ passed }) => !passed)) {
    console.log(`FAIL ${folder} ${name}: ${JSON.stringify(verdicts)}`);
  }
  const { passed, failed } = report;
  const uncovered = status !== 0 && failed === 0 ? 1 : 0;
  if (uncovered) console.log(`FAIL ${folder}: ${JSON.stringify(report.not_covered)} not covered`);
  console.log(`${folder}: ${passed} passed, ${failed} failed`);
  return { passed, failed: failed + uncovered, skipped: 0 };
}

function readReport(text: string): Report | undefined {
  try {
    return JSON.parse(text) as Report;
  } catch {
    return undefined;
  }
}
