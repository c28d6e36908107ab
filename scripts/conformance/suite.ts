/** Runs the official suite against a URL, as its own command does, and reads what it found. */
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parse } from 'yaml';

export const REVISIONS = ['2025-11-25', '2026-07-28'] as const;
export type Revision = (typeof REVISIONS)[number];

/** What a check found; what is `INFO` is no check. */
type Status = 'SUCCESS' | 'FAILURE' | 'WARNING' | 'SKIPPED';

export interface Check {
  id: string;
  status: Status;
  /** What the suite says of it. */
  problem: string | undefined;
}

export interface SuiteResult {
  /** Names of the scenarios that the revision requires. */
  required: readonly string[];
  /** The checks of every scenario that ran, required or not. */
  scenarios: ReadonlyMap<string, readonly Check[]>;
}

const require = createRequire(import.meta.url);
const PACKAGE = dirname(require.resolve('@modelcontextprotocol/conformance/package.json'));
const COMMAND = join(PACKAGE, 'dist/index.js');

/** Longest that one scenario may take before the suite calls it failed. */
const SCENARIO_TIMEOUT_MS = 15_000;

/** All that a revision requires, and what the suite runs beside it. */
export async function runSuite(url: string, revision: Revision): Promise<SuiteResult> {
  const scenarios = await run(url, '--requirements', revision);
  return { required: requiredBy(revision), scenarios };
}

/** One scenario. */
export async function runScenario(url: string, scenario: string): Promise<readonly Check[]> {
  return (await run(url, '--scenario', scenario)).get(scenario) ?? [brokenOff(scenario)];
}

async function run(url: string, ...which: string[]): Promise<Map<string, Check[]>> {
  const folder = mkdtempSync(join(tmpdir(), 'portcullis-conformance-'));
  try {
    const options = [...which, '--timeout', String(SCENARIO_TIMEOUT_MS)];
    const said = await runCommand('server', '--url', url, '--output-dir', folder, ...options);
    const scenarios = readScenarios(folder);
    if (scenarios.size === 0) throw new Error(`the suite ran no scenario: ${said}`);
    return scenarios;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A scenario is passed that ran and of which no check failed. */
export function isPassed({ scenarios }: SuiteResult, scenario: string): boolean {
  const checks = scenarios.get(scenario);
  return checks !== undefined && !checks.some(({ status }) => status === 'FAILURE');
}

/** The exit code only says whether all were passed. */
function runCommand(...args: string[]): Promise<string> {
  return new Promise((resolve) => {
    const limits = { maxBuffer: 64 * 1024 * 1024 };
    execFile(process.execPath, [COMMAND, ...args], limits, (_error, stdout, stderr) => {
      resolve(`${stdout}\n${stderr}`.trim().slice(-2_000));
    });
  });
}

/** A folder for each scenario, named after it and the time. */
const FOLDER = /^server-(.+)-\d{4}-\d\d-\d\dT[\d-]+Z$/u;

function readScenarios(folder: string): Map<string, Check[]> {
  const scenarios = new Map<string, Check[]>();
  for (const name of readdirSync(folder)) {
    const scenario = FOLDER.exec(name)?.[1];
    if (scenario === undefined) continue;
    const file = join(folder, name, 'checks.json');
    scenarios.set(scenario, existsSync(file) ? readChecks(file) : [brokenOff(scenario)]);
  }
  return scenarios;
}

/** A scenario that throws writes nothing. */
function brokenOff(scenario: string): Check {
  return { id: scenario, status: 'FAILURE', problem: 'the scenario broke off' };
}

interface WrittenCheck {
  id: string;
  status: Status | 'INFO';
  errorMessage?: string;
}

function readChecks(file: string): Check[] {
  const written = JSON.parse(readFileSync(file, 'utf8')) as WrittenCheck[];
  return written.flatMap(({ id, status, errorMessage: problem }) =>
    status === 'INFO' ? [] : [{ id, status, problem }],
  );
}

function requiredBy(revision: Revision): string[] {
  const file = join(PACKAGE, 'requirements', `${revision}.yaml`);
  return (parse(readFileSync(file, 'utf8')) as { server: string[] }).server;
}
