import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { EXEMPTIONS } from './exemptions.ts';
import type { Rule, SourceFile } from './rule.ts';
import { SYNTAX_RULES } from './syntax_rules.ts';
import { TEXT_RULES } from './text_rules.ts';

const TOP = new URL('../../', import.meta.url);
const BINARY = /\.(gz|wasm|png)$/;
const RULES: readonly Rule[] = [...TEXT_RULES, ...SYNTAX_RULES];

/** What is committed, and what is about to be. */
function projectFiles(): SourceFile[] {
  const list = ['ls-files', '-z', '--cached', '--others', '--exclude-standard'];
  return execFileSync('git', list, { cwd: TOP, encoding: 'utf8' })
    .split('\0')
    .filter((path) => path !== '' && path !== 'package-lock.json' && !BINARY.test(path))
    .filter((path) => existsSync(new URL(path, TOP)))
    .map((path) => ({ path, text: readFileSync(new URL(path, TOP), 'utf8') }));
}

const FILES = projectFiles();

function isExempt(rule: Rule, { path }: SourceFile): boolean {
  return EXEMPTIONS.some((exemption) => exemption.rule === rule.name && exemption.path === path);
}

function breaches(rule: Rule): SourceFile[] {
  return FILES.filter((file) => rule.concerns(file.path) && rule.find(file).length > 0);
}

describe.each(RULES)('$name', (rule) => {
  test('holds everywhere', () => {
    const problems = breaches(rule)
      .filter((file) => !isExempt(rule, file))
      .flatMap((file) =>
        rule.find(file).map(({ line, detail }) => `${file.path}:${line} ${detail}`),
      );
    expect(problems).toEqual([]);
  });

  test('bites', () => {
    expect(rule.concerns(rule.bites.path)).toBe(true);
    expect(rule.find(rule.bites)).toHaveLength(1);
  });
});

test('each exemption has a reason and is still needed', () => {
  const idle = EXEMPTIONS.filter(
    ({ rule: name, path, reason }) =>
      reason === '' ||
      !RULES.some((rule) => rule.name === name && breaches(rule).some((at) => at.path === path)),
  );
  expect(idle).toEqual([]);
});

test('the project is seen', () => {
  expect(FILES.map(({ path }) => path)).toEqual(
    expect.arrayContaining(['src/errors.ts', 'test/tidy/tidy.test.ts', 'package.json']),
  );
});
