/** Policy tests beside those of the code, in one command and one count. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { runTests } from '../../scripts/test.ts';
import { policyFolders } from '../../scripts/test_policies.ts';
import { describeWithOpa } from '../support/toolchain.ts';

const TOP = fileURLToPath(new URL('../../', import.meta.url));
let folder: string;
let said: string[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'portcullis-policy-tests-'));
  said = [];
  jest.spyOn(console, 'log').mockImplementation((line) => void said.push(String(line)));
});
afterEach(() => {
  jest.restoreAllMocks();
  rmSync(folder, { recursive: true, force: true });
});

const RULE = `# METADATA
# title: Tellers see balances
# custom: {reason_code: BALANCE}
package rules.payments.balance

import data.mcp.request

effect := "allow"

applies if {
	request.name == "tool:payments/balance"
	"tellers" in request.groups
}
`;

/** Asks the rule itself about somebody of these groups. */
function ruleTest(name: string, groups: string): string {
  return `
test_${name} if balance.applies with input as {
	"resource": {"type": "tool", "id": "balance", "properties": {"server": "payments"}},
	"subject": {"id": "user:a", "properties": {"groups": ${groups}}},
}
`;
}

const HEAD = 'package rules.payments.balance_test\n\nimport data.mcp.rules.payments.balance\n';
const EFFECT = '\ntest_effect if balance.effect == "allow"\n';

function writePolicy(...tests: string[]): string {
  const policy = join(folder, 'policy');
  const area = join(policy, 'rules', 'payments');
  mkdirSync(area, { recursive: true });
  writeFileSync(join(area, 'balance.rego'), RULE.replace('package ', 'package mcp.'));
  writeFileSync(
    join(area, 'balance_test.rego'),
    HEAD.replace('package ', 'package mcp.') + tests.join(''),
  );
  return policy;
}

function writeCode(text: string): string {
  mkdirSync(join(folder, 'code'));
  writeFileSync(join(folder, 'code/sample.test.ts'), text);
  return `--roots=${join(folder, 'code')}`;
}

describeWithOpa('npm test', () => {
  test('[C-04] runs policy tests in `opa test` beside Jest, and counts both', async () => {
    const policy = writePolicy(EFFECT, ruleTest('teller', '["tellers"]'));
    const code = writeCode("test('passes', () => {});");
    expect(await runTests([code], [policy])).toEqual({ passed: 3, failed: 0, skipped: 0 });
    expect(said).toEqual([`${policy}: 2 passed, 0 failed`]);
  });

  test('a policy test that fails is counted and named', async () => {
    const policy = writePolicy(EFFECT, ruleTest('guest', '[]'));
    const code = writeCode("test('passes', () => {});");
    expect(await runTests([code], [policy])).toEqual({ passed: 2, failed: 1, skipped: 0 });
    expect(said[0]).toContain('mcp.rules.payments.balance_test.test_guest');
  });

  test('a line of a policy that no test runs is a failure', async () => {
    const policy = writePolicy(ruleTest('teller', '["tellers"]'));
    const code = writeCode("test('passes', () => {});");
    expect(await runTests([code], [policy])).toEqual({ passed: 2, failed: 1, skipped: 0 });
    expect(said[0]).toMatch(/^FAIL .*rules\/payments\/balance\.rego.* not covered$/);
  });

  test('a policy that cannot be read is a failure', async () => {
    const policy = writePolicy('nonsense');
    const code = writeCode("test('passes', () => {});");
    expect(await runTests([code], [policy])).toEqual({ passed: 1, failed: 1, skipped: 0 });
  });
});

test('no policy of the project that has tests is forgotten', () => {
  const list = ['ls-files', '--cached', '--others', '--exclude-standard', '*_test.rego'];
  const tests = execFileSync('git', list, { cwd: TOP, encoding: 'utf8' }).trim().split('\n');
  const folders = policyFolders();
  const forgotten = tests.filter((path) => !folders.some((at) => path.startsWith(`${at}/`)));
  expect(forgotten).toEqual([]);
  expect(tests.length).toBeGreaterThan(10);
});
