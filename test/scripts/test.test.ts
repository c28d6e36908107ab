/** `npm test` over small suites of its own: what it counts, says and exits with. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from '@jest/globals';

const TOP = fileURLToPath(new URL('../../', import.meta.url));
const PREREQUISITE = join(TOP, 'test/support/prerequisite.ts');
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'portcullis-npm-test-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** The exit code and the lines that the command prints to standard output. */
function run(text: string, env: Record<string, string> = {}): { status: number; lines: string[] } {
  writeFileSync(join(folder, 'sample.test.ts'), text);
  const { CI: _, ...inherited } = process.env;
  const { status, stdout } = spawnSync(
    process.execPath,
    [join(TOP, 'scripts/test.ts'), `--roots=${folder}`],
    { cwd: folder, env: { ...inherited, ...env }, encoding: 'utf8' },
  );
  return { status: status ?? -1, lines: stdout.trimEnd().split('\n') };
}

const PASSES = "test('passes', () => {});";
const NEEDS = `
  import { prerequisite } from '${PREREQUISITE}';
  prerequisite('opa', false, 'put opa on PATH')('policies', () => { ${PASSES} });
`;

test('passed tests are counted, and said as README.md shows it', () => {
  const { status, lines } = run(`${PASSES} test('too', () => {});`);
  expect({ status, lines }).toEqual({ status: 0, lines: ['2 passed, 0 failed'] });
  const shown = /npm test\n…\n(.*)\n/u.exec(readFileSync(join(TOP, 'README.md'), 'utf8'))?.[1];
  expect(shown).toBe(lines[0]?.replace('2', 'N'));
});

test('a failed test fails the command', () => {
  expect(run(`${PASSES} test('fails', () => { throw new Error(); });`)).toEqual({
    status: 1,
    lines: ['1 passed, 1 failed'],
  });
});

test('a suite that cannot be read counts as failed', () => {
  expect(run('import "./absent.ts";')).toEqual({ status: 1, lines: ['0 passed, 1 failed'] });
});

test('no test at all is a failure', () => {
  expect(run('').status).toBe(1);
});

test('a missing prerequisite skips its suite and says why', () => {
  expect(run(PASSES + NEEDS)).toEqual({
    status: 0,
    lines: ['skipped: policies (needs opa: put opa on PATH)', '1 passed, 0 failed, 1 skipped'],
  });
});

test('under CI a missing prerequisite fails', () => {
  expect(run(PASSES + NEEDS, { CI: '1' })).toEqual({ status: 1, lines: ['1 passed, 1 failed'] });
});
