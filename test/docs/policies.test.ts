/** What the documentation shows of policies is a policy: it is accepted, and its tests pass. */
import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { checkPolicy, CHECKS } from '../../src/toolchain/check.ts';
import { parsePolicy } from '../../src/toolchain/policy.ts';
import { testPolicy } from '../../src/toolchain/test.ts';
import { describeWithOpa, opa, policyOf, TOOLS } from '../support/toolchain.ts';

const RULES = readFileSync('docs/rules.md', 'utf8');
const DATA = readFileSync('docs/policy_data.md', 'utf8');

function blocks(text: string, language: string): string[] {
  const fences = text.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gmu'));
  return [...fences].map(([, block = '']) => block);
}

/** The packages of the page as files, with the data of the other page. */
function shown(): Record<string, string> {
  const packages = blocks(RULES, 'rego').filter((block) => /^package /mu.test(block));
  const files = packages.map((block) => {
    const name = /^package (\S+)/mu.exec(block)?.[1] ?? '';
    return [`${name.replaceAll('.', '/')}.rego`, block];
  });
  return { ...Object.fromEntries(files), 'data.yaml': blocks(DATA, 'yaml')[0] ?? '' };
}

describeWithOpa('the pages on policies', () => {
  test('show rules that are accepted', async () => {
    const files = shown();
    expect(Object.keys(files).length).toBeGreaterThan(5);
    expect(await checkPolicy(opa, await parsePolicy(opa, policyOf(files)))).toEqual([]);
  });

  test('show tests that pass everywhere', async () => {
    const report = await testPolicy(TOOLS, policyOf(shown()));
    expect(report.tests.filter(({ passed }) => !passed)).toEqual([]);
    expect(report.passed).toBeGreaterThan(4);
  });
});

test('every check is in the table of the page', () => {
  const rows = [...RULES.matchAll(/^\| `([a-z_]+)` +\| [^|]+\|$/gmu)].map(([, name]) => name);
  expect(rows).toEqual(expect.arrayContaining([...Object.keys(CHECKS), 'argument_schemas']));
});
