/** What the documentation shows of policies is a policy: it is accepted, and its tests pass. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { checkPolicy, CHECKS } from '../../src/toolchain/check.ts';
import { parsePolicy } from '../../src/toolchain/policy.ts';
import { testPolicy } from '../../src/toolchain/test.ts';
import { run } from '../cli/fixture.ts';
import { describeWithOpa, opa, policyOf, TOOLS } from '../support/toolchain.ts';

const RULES = readFileSync('docs/rules.md', 'utf8');
const DATA = readFileSync('docs/policy_data.md', 'utf8');

function blocks(text: string, language: string): string[] {
  const fences = text.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gmu'));
  return [...fences].map(([, block = '']) => block);
}

/** The packages that a page shows, as files. */
function packagesOf(page: string): Record<string, string> {
  const packages = blocks(page, 'rego').filter((block) => /^package /mu.test(block));
  const files = packages.map((block) => {
    const name = /^package (\S+)/mu.exec(block)?.[1] ?? '';
    return [`${name.replaceAll('.', '/')}.rego`, block];
  });
  return Object.fromEntries(files) as Record<string, string>;
}

/** The packages of the page, with the data of the other page. */
function shown(): Record<string, string> {
  return { ...packagesOf(RULES), 'data.yaml': blocks(DATA, 'yaml')[0] ?? '' };
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

describeWithOpa('the rule of README.md', () => {
  const folder = mkdtempSync(join(tmpdir(), 'portcullis-readme-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('goes through check, test and build with its data', async () => {
    const readme = readFileSync('README.md', 'utf8');
    for (const [name, text] of Object.entries(packagesOf(readme))) {
      writeFileSync(join(folder, basename(name)), text);
    }
    const data = blocks(readme, 'yaml').filter((block) => block.startsWith('grants:'));
    writeFileSync(join(folder, 'data.yaml'), data.join('\n'));
    expect(readdirSync(folder)).toEqual(['branch_only.rego', 'branch_only_test.rego', 'data.yaml']);
    expect(await run('check', folder)).toMatchObject({ code: 0, stdout: 'nothing is refused\n' });
    expect(await run('test', folder)).toMatchObject({
      code: 0,
      stdout: '2 passed, 0 failed, 100 % of the lines covered\n',
    });
    const bundle = join(folder, 'policy.tar.gz');
    expect(await run('build', folder, '-o', bundle)).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/policy\.tar\.gz: revision \w+, sha256:/u),
    });
  });
});

test('every check is in the table of the page', () => {
  const rows = [...RULES.matchAll(/^\| `([a-z_]+)` +\| [^|]+\|$/gmu)].map(([, name]) => name);
  expect(rows).toEqual(expect.arrayContaining([...Object.keys(CHECKS), 'argument_schemas']));
});
