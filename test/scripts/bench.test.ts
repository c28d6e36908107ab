/** The shape of what the bench says; how fast anything is, no test asks. */
import { execFile } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { pageOf } from '../../scripts/bench/page.ts';
import { isMet } from '../../scripts/bench/rows/row.ts';
import { compare, median, quantile } from '../../scripts/bench/statistics.ts';
import type { BenchResult } from '../../scripts/bench/measure.ts';
import { privateFolder } from '../pdp/fixture.ts';
import { describeWithOpa } from '../support/toolchain.ts';

const TOP = fileURLToPath(new URL('../../', import.meta.url));

let folder: ReturnType<typeof privateFolder>;
beforeEach(() => {
  folder = privateFolder();
});
afterEach(() => folder.remove());

interface Run {
  code: number;
  stdout: string;
  stderr: string;
}

function bench(...argv: string[]): Promise<Run> {
  const args = [join(TOP, 'scripts/bench.ts'), '--folder', folder.path, ...argv];
  return new Promise((resolve) => {
    execFile(process.execPath, args, { env: environment() }, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr });
    });
  });
}

/** Tools of the runner would slow what is measured, and settings must not reach it. */
function environment(): NodeJS.ProcessEnv {
  return { ...process.env, NODE_OPTIONS: '', PORTCULLIS_POLICY_BUNDLE: '/nowhere' };
}

/** Policy, concurrency, packages and flush of the rows of one name. */
function kindsOf({ rows }: BenchResult, name: string): unknown[][] {
  return rows
    .filter((row) => row.name === name)
    .map(({ policy, concurrency, packages, added_flush_ms }) =>
      [policy, concurrency, packages, added_flush_ms].filter(Boolean),
    );
}

const AT_EACH = ['plain', 'library'].flatMap((kind) => [1, 16, 64].map((many) => [kind, many]));

describeWithOpa('the short form', () => {
  test('every goal has its figures, with the conditions, and leaves nothing behind', async () => {
    const { code, stdout, stderr } = await bench(
      ...['--json', '--seconds', '0.05', '--rounds', '1'],
    );
    expect([code, stderr]).toEqual([0, expect.not.stringContaining('not measured')]);
    const result = JSON.parse(stdout) as BenchResult;
    expect(result.failures).toEqual([]);
    for (const row of result.rows) {
      expect(row).toMatchObject({
        name: expect.any(String),
        ratio: expect.any(Number),
        spread: [expect.any(Number), expect.any(Number)],
        reference: expect.any(String),
        unit: expect.any(String),
        flush_us: [expect.any(Number), expect.any(Number)],
      });
      expect(row.ratio).toBeGreaterThan(0);
      expect(typeof row.met).toBe(row.goal === null ? 'object' : 'boolean');
    }
    expect(kindsOf(result, 'http_decision_throughput')).toEqual(AT_EACH);
    expect(kindsOf(result, 'http_decision_p99')).toEqual(AT_EACH);
    expect(kindsOf(result, 'http_decision_slow_disk')).toEqual(
      [1, 2, 5].flatMap((flush_ms) => [16, 64].map((many) => ['library', many, flush_ms])),
    );
    expect(kindsOf(result, 'embedded_decision_cpu')).toEqual([
      ['plain', 16],
      ['library', 16],
    ]);
    expect(kindsOf(result, 'one_decision_p99')).toEqual(
      [10, 100, 1000].map((packages) => ['library', packages]),
    );
    expect(result.rows.slice(-5).map(({ name }) => name)).toEqual([
      'guarded_call_added_p99',
      'guarded_call_added_p99_9',
      'guarded_call_embedded_p50',
      'cold_start_to_ready',
      'resident_memory',
    ]);
    expect(result.conditions).toMatchObject({
      cpu: expect.any(String),
      cpus: expect.any(Number),
      load: [expect.any(Number), expect.any(Number)],
      opa: '1.22.0',
      opa_flags_plain: expect.stringMatching(/^run --server --log-level error .*decision_logs/u),
    });
    expect(await pageOf(result)).toContain('does not flush it');
    expect(readdirSync(folder.path)).toEqual([]);
  }, 300_000);

  test('what cannot be measured is named and ends with exit code 1', async () => {
    const { code, stdout, stderr } = await bench(
      ...['--json', '--rows', 'embedded', '--seconds', '0.0000001', '--rounds', '1'],
    );
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ rows: [], failures: [{ row: 'embedded' }] });
    expect(stderr).toContain('not measured: embedded');
  }, 120_000);
});

test('a row that does not exist is refused before anything runs', async () => {
  const { code, stderr } = await bench('--rows', 'https');
  expect([code, stderr]).toEqual([2, expect.stringContaining('no row `https`')]);
});

test('a goal is judged as it reads', () => {
  expect([isMet('>= 3', 3), isMet('>= 3', 2.9)]).toEqual([true, false]);
  expect([isMet('<= 1.3', 1.3), isMet('<= 1.3', 1.31)]).toEqual([true, false]);
  expect([isMet('< 1', 0.99), isMet('< 1', 1)]).toEqual([true, false]);
  expect(() => isMet('about 3', 3)).toThrow('a goal that nobody can read');
});

test('quantiles and medians are values that were measured, or between two of them', () => {
  expect([quantile([3, 1, 2], 0.5), quantile([3, 1, 2], 0.99)]).toEqual([2, 3]);
  expect([median([4, 1, 3]), median([4, 1, 3, 2])]).toEqual([3, 2.5]);
  expect(() => quantile([], 0.5)).toThrow('nothing to take a quantile of');
});

test('runs of one round are compared with each other', () => {
  const pairs = [
    [2, 1],
    [9, 3],
    [4, 4],
  ] as const;
  expect(compare(pairs, (a, b) => a / b)).toEqual({ ratio: 2, spread: [1, 3] });
  expect(() => compare([[1, 0]], (a, b) => a / b)).toThrow('a ratio has no value');
});

test('the page has a section for each figure', () => {
  const page = readFileSync(join(TOP, 'docs/performance.md'), 'utf8');
  expect(page.match(/^## .*/gmu)).toEqual([
    '## http decision throughput',
    '## http decision p99',
    '## http decision slow disk',
    '## embedded decision cpu',
    '## one decision p99',
    '## guarded call added p99',
    '## guarded call added p99 9',
    '## guarded call embedded p50',
    '## cold start to ready',
    '## resident memory',
    '## Conditions',
  ]);
});
