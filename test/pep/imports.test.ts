import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';

const folder = join(import.meta.dirname, '../../src/pep');
const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .sort();

function specifiers(name: string, pattern: RegExp): string[] {
  const text = readFileSync(join(folder, name), 'utf8');
  return [...text.matchAll(pattern)].map(([, specifier = '']) => specifier);
}

const ANY = /(?:from|import)\s*\(?\s*'([^']+)'/g;
const STATIC = /from\s+'([^']+)'/g;

test('the core of the guard knows no SDK', () => {
  const core = files.filter((name) => !name.startsWith('mcp/'));
  const foreign = core.flatMap((name) =>
    specifiers(name, ANY).filter((it) => !it.startsWith('.') && !it.startsWith('node:')),
  );
  expect(core.length).toBeGreaterThan(20);
  expect(foreign).toEqual([]);
});

test('the bindings load an SDK line only where it is used', () => {
  const bindings = files.filter((name) => name.startsWith('mcp/'));
  const sdk = (name: string, pattern: RegExp) =>
    specifiers(name, pattern).filter((it) => it.startsWith('@modelcontextprotocol/'));
  expect(bindings.flatMap((name) => sdk(name, STATIC))).toEqual([]);
  expect(bindings.flatMap((name) => sdk(name, ANY)).sort()).toEqual([
    '@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js',
    '@modelcontextprotocol/server',
  ]);
});
