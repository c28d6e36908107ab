/** Docs and code cannot disagree. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { FOLDERS } from '../../scripts/import_table.ts';
import { SETTINGS, hasType } from '../../src/config/settings.ts';
import { REASONS } from '../../src/contract/reasons.ts';
import { ERRORS } from '../../src/errors.ts';

const TOP = fileURLToPath(new URL('../../', import.meta.url));
const read = (path: string): string => readFileSync(join(TOP, path), 'utf8');
const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };

const DOCUMENTS = [
  ...readdirSync(TOP).filter((name) => name.endsWith('.md')),
  ...readdirSync(join(TOP, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name)),
];

/** The code words of the first column of each table in a document. */
function firstColumn(path: string): string[] {
  return [...read(path).matchAll(/^\| `([^`]+)`/gm)].map(([, word = '']) => word);
}

test('[C-09] the top level has what a newcomer looks for', () => {
  const expected = ['package.json', 'tsconfig.json', 'README.md'].concat([
    'src',
    'policies',
    'bundles',
    'test',
    'scripts',
    'docs',
  ]);
  expect(readdirSync(TOP)).toEqual(expect.arrayContaining(expected));
});

test('docs/errors.md lists each code once, in the order of the tables', () => {
  expect(firstColumn('docs/errors.md')).toEqual([...Object.keys(ERRORS), ...Object.keys(REASONS)]);
});

test('[O-04] docs/configuration.md says of each number what its schema does', () => {
  const text = read('docs/configuration.md');
  const all = SETTINGS.flatMap((setting) => [setting, ...setting.rule.members]);
  const numbers = all.filter(({ rule }) => hasType(rule, 'integer'));
  for (const { name, unit, rule, variable } of numbers) {
    const [row = ''] = text.split('\n').filter((line) => line.startsWith(`| \`${name}\` `));
    expect(row.split(/ *\| */).slice(1, -1)).toEqual([
      `\`${name}\``,
      `\`${String(rule.default)}\``,
      `${rule.minimum} to ${rule.maximum} ${unit}`,
      rule.description,
      `\`${variable}\``,
    ]);
  }
});

test('docs/architecture.md has a row for each row of the import table', () => {
  expect(firstColumn('docs/architecture.md')).toEqual(
    expect.arrayContaining(FOLDERS.map(({ name }) => name)),
  );
});

test('each folder under src has a row', () => {
  const rows = new Set(FOLDERS.map(({ name }) => name));
  expect(readdirSync(join(TOP, 'src')).filter((name) => !rows.has(name))).toEqual([]);
});

test('the import table names only rows of its own', () => {
  const rows = new Set(['*', ...FOLDERS.map(({ name }) => name)]);
  const named = FOLDERS.flatMap((row) => [...row.may_import, ...(row.types_of ?? [])]);
  expect(named.filter((name) => !rows.has(name))).toEqual([]);
});

test('generated tables are fresh', () => {
  const { status, stderr } = spawnSync(
    process.execPath,
    [join(TOP, 'scripts/generate_docs.ts'), '--check'],
    { encoding: 'utf8' },
  );
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
});

describe.each(DOCUMENTS)('%s', (path) => {
  const text = read(path);

  test('links lead to files that exist', () => {
    const links = [...text.matchAll(/\]\(([^)#\s]+)[^)]*\)/g)].map(([, link = '']) => link);
    const broken = links.filter(
      (link) => !/^[a-z]+:/.test(link) && !existsSync(join(TOP, dirname(path), link)),
    );
    expect(broken).toEqual([]);
  });

  test('npm scripts that are named exist', () => {
    const named = [...text.matchAll(/(?:`|^ *|&& )npm (?:run )?([a-z]+)/gm)].map(
      ([, name = '']) => name,
    );
    const own = new Set([...Object.keys(scripts), 'ci', 'i', 'install', 'pack', 'run']);
    expect(named.filter((name) => !own.has(name))).toEqual([]);
  });

  test('files of the project that are named exist', () => {
    const named = [
      ...text.matchAll(/`((?:src|test|scripts|policies|examples|docs|bin)\/[\w./-]+)`/g),
    ].map(([, name = '']) => name);
    expect(named.filter((name) => !existsSync(join(TOP, name)))).toEqual([]);
  });
});
