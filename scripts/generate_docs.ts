/**
 * Writes what the docs say of the code's tables, and the OpenAPI document: the code is the source,
 * the docs follow. With --check it writes nothing and exits 1 where a document is stale.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { REASONS } from '../src/contract/reasons.ts';
import { CONTRADICTIONS } from '../src/config/contradictions.ts';
import { type Setting, SETTINGS, choicesOf } from '../src/config/settings.ts';
import { ERRORS } from '../src/errors.ts';
import { FAULTS } from '../src/verify/fault.ts';
import { REFUSALS } from '../src/identity/jwt/refusals.ts';
import { FOLDERS, NODE_MODULES, PACKAGES, type FolderRow } from './import_table.ts';
import { scoreBlock, survivorBlocks } from './mutation/page.ts';
import { openApiDocument } from './openapi.ts';

const TOP = join(import.meta.dirname, '..');

/** A table between `<!-- name -->` and `<!-- end -->` of a document. */
interface Block {
  path: string;
  name: string;
  heads: readonly string[];
  rows: readonly (readonly string[])[];
}

/** The same of text. */
interface TextBlock {
  path: string;
  name: string;
  text: string;
}

const BLOCKS: readonly (Block | TextBlock)[] = [
  {
    path: 'docs/errors.md',
    name: 'errors',
    heads: ['Code', 'What happened', 'What to do'],
    rows: Object.entries(ERRORS).map(([code, at]) => [`\`${code}\``, at.meaning, at.remedy]),
  },
  {
    path: 'docs/errors.md',
    name: 'reasons',
    heads: ['Code', 'What the caller reads'],
    rows: Object.entries(REASONS).map(([code, sentence]) => [`\`${code}\``, sentence]),
  },
  {
    path: 'docs/verify.md',
    name: 'faults',
    heads: ['Reason', 'What is false'],
    rows: Object.entries(FAULTS).map(([code, meaning]) => [`\`${code}\``, meaning]),
  },
  {
    path: 'docs/identity.md',
    name: 'refusals',
    heads: ['Code', 'What the operator reads'],
    rows: Object.entries(REFUSALS).map(([code, reason]) => [`\`${code}\``, reason]),
  },
  {
    path: 'docs/architecture.md',
    name: 'folders',
    heads: ['Under `src/`', 'Responsibility', 'May import'],
    rows: FOLDERS.map((row) => [`\`${row.name}\``, row.responsibility, mayImport(row)]),
  },
  {
    path: 'docs/architecture.md',
    name: 'fences',
    heads: ['Package or module', 'Only in'],
    rows: [...fences(PACKAGES, ''), ...fences(NODE_MODULES, 'node:')],
  },
  ...[...new Set(SETTINGS.map(groupOf))].map((group) => ({
    path: 'docs/configuration.md',
    name: group,
    heads: ['Setting', 'Default', 'Range', 'Meaning', 'Variable'],
    rows: SETTINGS.filter((setting) => groupOf(setting) === group).map(settingRow),
  })),
  ...SETTINGS.filter(({ rule }) => rule.members.length > 0).map(({ name, rule }) => ({
    path: 'docs/configuration.md',
    name,
    heads: ['Setting', 'Default', 'Range', 'Meaning', 'Variable'],
    rows: rule.members.map(settingRow),
  })),
  {
    path: 'docs/configuration.md',
    name: 'contradictions',
    heads: ['Settings', 'Fault'],
    rows: CONTRADICTIONS.map(({ names, fault }) => [
      names.map((name) => `\`${name}\``).join(', '),
      fault,
    ]),
  },
  scoreBlock(),
  ...survivorBlocks(),
];

/** Settings that stand in no group come first. */
function groupOf({ path: [group = ''], path }: Setting): string {
  return path.length === 1 ? 'process' : group;
}

function settingRow({ name, rule, unit, variable }: Setting): string[] {
  const { default: usual, minimum, maximum } = rule;
  const shown = typeof usual === 'string' ? usual : (JSON.stringify(usual) ?? '–');
  const range =
    unit === undefined ? choicesOf(rule).join(', ') : `${minimum} to ${maximum} ${unit}`;
  return [`\`${name}\``, `\`${shown}\``, range || '–', rule.description, `\`${variable}\``];
}

function mayImport(row: FolderRow): string {
  if (row.may_import.includes('*')) return 'everything';
  const types = row.types_of?.length ? [`types of ${row.types_of.join(', ')}`] : [];
  const node = row.node_modules ? [`of Node only ${row.node_modules.join(', ')}`] : [];
  return [...row.may_import, ...types, ...node].join(', ') || '–';
}

function fences(owned: Readonly<Record<string, readonly string[]>>, prefix: string): string[][] {
  return Object.entries(owned).map(([name, owners]) => [
    `\`${prefix}${name}\``,
    owners.map((owner) => `\`${owner}\``).join(', '),
  ]);
}

/** A Markdown table, with columns as wide as their widest cell. */
function table({ heads, rows }: Block): string {
  const widths = heads.map((head, column) =>
    Math.max(head.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  const rule = line(widths.map((width) => '-'.repeat(width)));
  return [line(heads), rule, ...rows.map(line)].join('\n');
}

/** The document with its block written anew. */
function render(text: string, block: Block | TextBlock): string {
  const pattern = new RegExp(`(<!-- ${block.name} -->)[^]*?(<!-- end -->)`);
  if (!pattern.test(text)) throw new Error(`${block.path} has no block named ${block.name}`);
  const fresh = 'text' in block ? block.text : table(block);
  return text.replace(
    pattern,
    (_all, before: string, after: string) => `${before}\n\n${fresh}\n\n${after}`,
  );
}

/** Each generated file, with what it is to hold. */
function* files(): Generator<[path: string, fresh: string]> {
  for (const path of new Set(BLOCKS.map((block) => block.path))) {
    const text = readFileSync(join(TOP, path), 'utf8');
    yield [path, BLOCKS.filter((block) => block.path === path).reduce(render, text)];
  }
  yield ['src/pdp/openapi.gen.json', `${JSON.stringify(openApiDocument(), undefined, 2)}\n`];
}

const check = process.argv.includes('--check');
for (const [path, fresh] of files()) {
  const file = join(TOP, path);
  if (!check) writeFileSync(file, fresh);
  else if (readFileSync(file, 'utf8') !== fresh) {
    console.error(`${path} is stale: run \`npm run generate\``);
    process.exitCode = 1;
  }
}
