/** The tools of the gate see what they are there for: each sample breaks one rule. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { PACKAGES } from '../../scripts/import_table.ts';

const TOP = fileURLToPath(new URL('../../', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'portcullis-tools-'));

/** Each sample with the rule that it breaks; an empty rule is the counter-sample. */
const IMPORTS: Record<string, { text: string; rule: string }> = {
  'src/errors.ts': { text: 'export class PortcullisError extends Error {}', rule: '' },
  'src/pdp/server.ts': { text: "import express from 'express'; express();", rule: '' },
  'src/contract/a.ts': { text: "import '../errors.ts';", rule: 'contract-imports' },
  'src/engine/a.ts': { text: 'export interface Engine {}; export const a = 1;', rule: '' },
  'src/decision/types.ts': { text: "import type { Engine } from '../engine/a.ts';", rule: '' },
  'src/decision/a.ts': { text: "import '../engine/a.ts';", rule: 'decision-types-only' },
  'src/pep/guard.ts': { text: "import express from 'express'; express();", rule: 'fence-express' },
  'src/pep/b.ts': { text: "import 'node:child_process';", rule: 'fence-child_process' },
  'src/pep/c.ts': { text: "import 'node:sqlite';", rule: 'fence-sqlite' },
  'src/decision/b.ts': { text: "import 'prettier';", rule: 'package-without-row' },
  'src/hub/a.ts': { text: "import './absent.ts';", rule: 'no-unresolvable' },
  'src/cli/a.ts': { text: "import './b.ts';", rule: 'no-circle' },
  'src/cli/b.ts': { text: "import './a.ts';", rule: '' }, // a circle is reported once
  'src/cli/c.ts': { text: "import '../../test/a.ts';", rule: 'source-stands-alone' },
  'src/helpers/a.ts': { text: "import '../errors.ts';", rule: 'folder-without-row' },
  'test/a.ts': { text: 'export const a = 1;', rule: '' },
};

const LINT: Record<string, { text: string; rule: string }> = {
  'lint/fine.ts': { text: 'export const a: unknown = JSON.parse("1");', rule: '' },
  'lint/promise.ts': {
    text: 'async function ask(): Promise<void> {}\nask();\n',
    rule: 'typescript(no-floating-promises)',
  },
  'lint/any.ts': { text: 'export const a: any = 1;', rule: 'typescript(no-explicit-any)' },
  'lint/parsed.ts': {
    text: 'export const a: { b: string } = JSON.parse("1");',
    rule: 'typescript(no-unsafe-assignment)',
  },
  'lint/default.ts': { text: 'export default 1;', rule: 'import(no-default-export)' },
  'lint/unused.ts': { text: 'const a = 1;\nexport {};', rule: 'eslint(no-unused-vars)' },
  'lint/loud.ts': { text: 'console.log(1);\nexport {};', rule: 'eslint(no-console)' },
};

function run(tool: string, ...args: string[]): unknown {
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [join(TOP, 'node_modules', tool), ...args],
    { cwd: folder, encoding: 'utf8' },
  );
  if (!stdout.startsWith('{')) throw new Error(`${tool} printed no result: ${stdout}${stderr}`);
  return JSON.parse(stdout);
}

const expected = (samples: typeof LINT): string[] =>
  Object.entries(samples)
    .filter(([, { rule }]) => rule !== '')
    .map(([path, { rule }]) => `${path} ${rule}`)
    .sort();

beforeAll(() => {
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(join(TOP, 'node_modules/@types'), join(folder, 'node_modules/@types'));
  const samples = {
    ...IMPORTS,
    ...LINT,
    'node_modules/express/package.json': { text: '{"name": "express", "main": "index.js"}' },
    'node_modules/express/index.js': { text: '' },
    'node_modules/prettier/package.json': { text: '{"name": "prettier", "main": "index.js"}' },
    'node_modules/prettier/index.js': { text: '' },
    'package.json': {
      text: '{"type": "module", "dependencies": {"express": "1", "prettier": "1"}}',
    },
    'tsconfig.json': { text: '{"extends": "./base.json", "include": ["lint"]}' },
    'base.json': {
      text: '{"compilerOptions": {"strict": true, "module": "nodenext", "types": ["node"]}}',
    },
  };
  for (const [path, { text }] of Object.entries(samples)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('dependency-cruiser refuses what the import table does not allow', () => {
  const config = join(TOP, '.dependency-cruiser.js');
  const tool = 'dependency-cruiser/bin/dependency-cruiser.mjs';
  const result = run(tool, '--config', config, '-T', 'json', 'src') as {
    summary: { violations: { from: string; rule: { name: string } }[] };
  };
  const found = result.summary.violations.map(({ from, rule }) => `${from} ${rule.name}`);
  expect([...new Set(found)].sort()).toEqual(expected(IMPORTS));
});

test('oxlint refuses a floating promise, any, and what else hides a fault', () => {
  const config = join(TOP, '.oxlintrc.json');
  const result = run('oxlint/bin/oxlint', '--type-aware', '-c', config, '-f', 'json', 'lint') as {
    diagnostics: { filename: string; code: string }[];
  };
  const found = result.diagnostics.map(({ filename, code }) => `${filename} ${code}`);
  expect([...new Set(found)].sort()).toEqual(expected(LINT));
});

test('[C-08] ajv validates, winston logs, and MCP is spoken by the official SDKs', () => {
  const { dependencies, peerDependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as {
    dependencies: Record<string, string>;
    peerDependencies: Record<string, string>;
  };
  expect(Object.keys(dependencies)).toEqual(expect.arrayContaining(['ajv', 'winston']));
  expect(Object.keys(peerDependencies)).toEqual([
    '@modelcontextprotocol/sdk',
    '@modelcontextprotocol/server',
  ]);
  expect(readFileSync('src/contract/validate.ts', 'utf8')).toMatch(/from 'ajv\//);
  expect(readFileSync('src/telemetry/create_logger.ts', 'utf8')).toMatch(/from 'winston'/);
  expect(PACKAGES).toMatchObject({ ajv: ['contract'], winston: ['telemetry'] });
});
