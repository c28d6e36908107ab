/**
 * `npm run check`: the gate without the long suites. Runs the steps of the table in order, prints
 * each with its time, and stops at the first that fails with its output and what to do; with --all
 * it goes on.
 */
import { spawnSync } from 'node:child_process';
import { delimiter, dirname, join } from 'node:path';

export interface Step {
  name: string;
  command: readonly [string, ...string[]];
  /** What to do when it fails. */
  remedy: string;
}

const JEST = ['node', '--experimental-vm-modules', 'node_modules/jest/bin/jest.js'] as const;

const STEPS: readonly Step[] = [
  {
    name: 'format',
    command: ['prettier', '--check', '--log-level=warn', '.'],
    remedy: 'run `npm run format`',
  },
  { name: 'types', command: ['tsc', '-p', '.'], remedy: 'mend the types named above' },
  {
    name: 'generated types',
    command: ['node', 'scripts/generate_types.ts', '--check'],
    remedy: 'run `npm run generate`',
  },
  {
    name: 'generated docs',
    command: ['node', 'scripts/generate_docs.ts', '--check'],
    remedy: 'run `npm run generate`',
  },
  {
    name: 'lint',
    command: ['oxlint', '--type-aware', '--deny-warnings'],
    remedy: 'mend the places named above; the rules stand in .oxlintrc.json',
  },
  {
    name: 'imports',
    command: ['depcruise', '--config', '.dependency-cruiser.js', 'src', 'scripts', 'test'],
    remedy: 'keep to the import table in docs/architecture.md',
  },
  {
    name: 'unused code',
    command: ['knip', '--no-config-hints'],
    remedy: 'delete what nothing uses',
  },
  {
    name: 'policies',
    command: ['node', 'scripts/check_policies.ts'],
    remedy: 'write what stands under each place that is named',
  },
  {
    name: 'tidy',
    command: [...JEST, '--silent', 'test/tidy', 'test/requirements', 'test/docs'],
    remedy: 'the failing test names the file and the rule',
  },
];

const bin = join(import.meta.dirname, '../node_modules/.bin');
const path = [bin, dirname(process.execPath), process.env.PATH ?? ''].join(delimiter);

/** Runs one step; its output is shown only when it fails. */
function run(step: Step): boolean {
  const started = performance.now();
  const [program, ...args] = step.command;
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    cwd: join(import.meta.dirname, '..'),
    env: { ...process.env, PATH: path },
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const passed = status === 0;
  console.log(`${passed ? 'ok  ' : 'FAIL'} ${step.name} (${seconds} s)`);
  if (!passed) console.log(`\n${error?.message ?? stdout + stderr}`);
  return passed;
}

/** Runs the steps in order, to the first that fails or to the last; gives those that failed. */
export function runSteps(steps: readonly Step[], goOn: boolean): Step[] {
  const failed: Step[] = [];
  for (const step of steps) {
    if (run(step)) continue;
    failed.push(step);
    if (!goOn) break;
  }
  for (const { name, remedy } of failed) console.log(`check failed at \`${name}\`: ${remedy}`);
  if (failed.length === 0) console.log('check passed');
  return failed;
}

if (import.meta.main && runSteps(STEPS, process.argv.includes('--all')).length > 0) {
  process.exitCode = 1;
}
