/** Decision record 0009: what limits something is a setting, or no setting for a reason. */
import { globSync, readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { limitsIn } from './limits.ts';

const TOP = new URL('../../', import.meta.url);
const RECORD = 'docs/decisions/0009_limits_that_are_no_settings.md';

function read(path: string): string {
  return readFileSync(new URL(path, TOP), 'utf8');
}

function spans(cell: string): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, text = '']) => text);
}

/** Each number of the table with its folder; a row without a reason has none. */
function onRecord(): string[] {
  return read(RECORD)
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .flatMap((line) => {
      const [, folders = '', numbers = '', reason = ''] = line.split(' | ').join('|').split('|');
      expect(reason.trim().length).toBeGreaterThan(10);
      return spans(folders).flatMap((folder) => spans(numbers).map((at) => `${folder}: ${at}`));
    });
}

function inCode(): string[] {
  return globSync('src/**/*.ts', { cwd: TOP })
    .filter((path) => !path.endsWith('.gen.ts'))
    .flatMap((path) => {
      const folder = path.split(/[/\\]/)[1];
      return limitsIn({ path, text: read(path) }).map((limit) => `${folder}: ${limit}`);
    });
}

test('[O-04] each number that limits something is a setting, or on record with a reason', () => {
  const found = new Set(inCode());
  expect(found.size).toBeGreaterThan(40);
  expect([...found].sort()).toEqual(onRecord().sort());
});

test.each([
  ['const BODY_BYTES_MAX = 1024;', 'BODY_BYTES_MAX = 1024'],
  ['const BODY_BYTES_MAX = 4 * 1_024;', 'BODY_BYTES_MAX = 4 * 1024'],
  ['const LIMITS = { depth_max: 64 };', 'LIMITS.depth_max = 64'],
  ['run(file, { timeout: 10_000 });', 'timeout = 10000'],
  ['function read({ timeout_ms = 500 }) {}', 'timeout_ms = 500'],
  ['function read(bytes_max = 512) {}', 'bytes_max = 512'],
  ['class Queue { items_max = 10; }', 'items_max = 10'],
  [
    'const options = { connectionsMax: Math.min(a, 9) };',
    'options.connectionsMax = Math.min(a, 9)',
  ],
  ['if (name.length > 64) refuse();', 'name.length > 64'],
  ['if (100 <= queue.size) refuse();', '100 <= queue.size'],
  ['told(text.slice(0, 256));', 'text.slice(0, 256)'],
  ['setTimeout(stop, 5000);', 'setTimeout(stop, 5000)'],
  ['AbortSignal.timeout(5000);', 'AbortSignal.timeout(5000)'],
  ['function cut(text, length_max) {}\ncut(name, 32);', 'cut(name, 32)'],
])('a limit is seen in %j', (text, limit) => {
  expect(limitsIn({ path: 'src/a.ts', text })).toEqual([limit]);
});

test.each([
  'const oldest_ms = now_ms - age_seconds * 1000;',
  'const limits = { body_bytes_max: settings.body_bytes_max };',
  'const COLON = 58;',
  'const rule = { maxLength: 64 };',
  'if (steps.length === 3) follow();',
  'path.slice(0, 3);',
  'turnAway(405, body);',
])('none is seen in %j', (text) => {
  expect(limitsIn({ path: 'src/a.ts', text })).toEqual([]);
});
