import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { ERRORS } from '../../src/errors.ts';
import { privateFolder } from '../pdp/fixture.ts';
import { describeWithOpa } from '../support/toolchain.ts';
import { run } from './fixture.ts';

const RULE = `# METADATA
# title: Tellers read balances
# custom:
#   reason_code: BALANCE
package mcp.rules.payments.balance

import data.mcp.request

effect := "allow"

applies if {
	request.name == "tool:payments/balance"
	"tellers" in request.groups
}
`;

const TEST = `package mcp.rules.payments.balance_test

import data.mcp.rules.payments.balance

test_unknown if not balance.applies with input as {}
`;

let folder: ReturnType<typeof privateFolder>;
beforeEach(() => {
  folder = privateFolder();
});
afterEach(() => folder.remove());

function write(path: string, text: string): void {
  const file = join(folder.path, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

beforeEach(() => {
  write('rules/payments/balance.rego', RULE);
  write('rules/payments/balance_test.rego', TEST);
});

describeWithOpa('check and test', () => {
  test('check finds nothing in a sound policy', async () => {
    const { code, stdout } = await run('check', folder.path);
    expect([code, stdout]).toEqual([0, 'nothing is refused\n']);
  });

  test('check names the place in the folder that it was given', async () => {
    write('rules/payments/balance.rego', RULE.replace('"allow"', '"alow"'));
    const human = await run('check', folder.path);
    expect(human.code).toBe(1);
    expect(human.stdout).toMatch(new RegExp(`^${folder.path}/rules/payments/balance.rego `));
    expect(human.stdout).toContain('1 refused\n');
    const json = await run('check', folder.path, '--json');
    expect(json.code).toBe(1);
    expect(JSON.parse(json.stdout)).toEqual({
      findings: [
        {
          check: 'effects',
          place: `${folder.path}/rules/payments/balance.rego`,
          problem: expect.any(String),
          instead: expect.any(String),
        },
      ],
      notes: [],
    });
  });

  test('test counts, and names what no test runs', async () => {
    const { code, stdout } = await run('test', folder.path);
    expect(code).toBe(0);
    expect(stdout).toContain('1 passed, 0 failed, ');
    expect(stdout).toContain(`${folder.path}/rules/payments/balance.rego: no test runs line`);
  });

  test('test fails where a test fails, and where there is none', async () => {
    write('rules/payments/balance_test.rego', TEST.replace('if not', 'if'));
    const failed = await run('test', folder.path);
    expect(failed.code).toBe(1);
    expect(failed.stdout).toContain(
      `${folder.path}/rules/payments/balance_test.rego:5 ` +
        'mcp.rules.payments.balance_test.test_unknown\n' +
        '  opa_scan fail, opa_static fail, wasm fail\n' +
        `  failed at ${folder.path}/rules/payments/balance_test.rego:5\n` +
        '0 passed, 1 failed\n',
    );
    write('rules/payments/balance_test.rego', 'package mcp.rules.payments.balance_test\n');
    const none = await run('test', folder.path, '--json');
    expect([none.code, JSON.parse(none.stdout)]).toEqual([
      1,
      expect.objectContaining({ passed: 0, failed: 0, tests: [] }),
    ]);
    expect((await run('test', folder.path)).stdout).toContain('there is no test');
  });

  test('a folder without a policy is no policy that passes', async () => {
    const empty = privateFolder();
    for (const command of ['check', 'test']) {
      const { code, stderr } = await run(command, empty.path);
      expect([code, stderr]).toEqual([
        2,
        expect.stringContaining(`ARGUMENT_INVALID: \`${empty.path}\` holds no policy`),
      ]);
    }
    empty.remove();
  });

  test('a self-test that does not hold fails test and build', async () => {
    write('self_tests.yaml', '- {title: anybody, input: {}, outcome: allow}\n');
    const output = join(folder.path, 'policy.tar.gz');
    for (const argv of [
      ['test', folder.path],
      ['build', folder.path, '-o', output],
    ]) {
      const { code, stderr } = await run(...argv);
      expect([code, stderr]).toEqual([
        2,
        expect.stringContaining('the self-test `anybody` expects allow and gets deny'),
      ]);
    }
    expect(existsSync(output)).toBe(false);
  });

  test('a file that is not read is noted', async () => {
    write('limits.yaml', 'a: 1\n');
    const { code, stdout } = await run('check', folder.path, '--json');
    expect([code, JSON.parse(stdout)]).toEqual([
      0,
      expect.objectContaining({
        notes: [expect.objectContaining({ place: `${folder.path}/limits.yaml` })],
      }),
    ]);
  });
});

describeWithOpa('build', () => {
  test('build writes the same bytes for the same sources, whole', async () => {
    const [one, two] = [join(folder.path, 'one.tar.gz'), join(folder.path, 'two.tar.gz')];
    const built = await run('build', folder.path, '-o', one, '--json');
    expect(built.code).toBe(0);
    expect(JSON.parse(built.stdout)).toEqual({
      file: one,
      revision: expect.stringMatching(/^[0-9a-f]{12}$/),
      digest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
      size_bytes: readFileSync(one).length,
    });
    await run('build', folder.path, '-o', two);
    expect(readFileSync(two).equals(readFileSync(one))).toBe(true);
  });

  test('build says where it cannot write', async () => {
    const { code, stderr } = await run(
      'build',
      folder.path,
      '-o',
      join(folder.path, 'no/b.tar.gz'),
    );
    expect(code).toBe(2);
    expect(stderr).toContain(
      `ARGUMENT_INVALID: the bundle cannot be written to \`${folder.path}/no/b.tar.gz\`\n` +
        `  ${ERRORS.ARGUMENT_INVALID.remedy}\n`,
    );
  });

  test('a policy of its own contract names its entrypoint', async () => {
    const own = privateFolder();
    writeFileSync(
      join(own.path, 'authz.rego'),
      'package authz\n\ndefault allow := false\n\nallow if input.subject.id == "user:alice"\n',
    );
    const file = join(own.path, 'policy.tar.gz');
    const argv = ['build', own.path, '-o', file, '--entrypoint', 'authz/allow', '--revision', 'r7'];
    const { code, stdout } = await run(...argv);
    own.remove();
    expect([code, stdout]).toEqual([
      0,
      expect.stringMatching(new RegExp(`^${file}: revision r7, sha256:`)),
    ]);
  });
});

describeWithOpa('serve', () => {
  test('does not start with a policy that lets nobody in', async () => {
    write('open/authz.rego', 'package authz\n\nallow := true\n');
    const open = join(folder.path, 'open.tar.gz');
    const build = ['build', join(folder.path, 'open'), '--entrypoint', 'authz/allow', '-o', open];
    const unmarked = await run(...build);
    expect([unmarked.code, unmarked.stderr]).toEqual([
      2,
      expect.stringContaining('BUNDLE_REFUSED: the policy does not deny nobody'),
    ]);
    expect((await run(...build, '--unsafe-allow-all')).code).toBe(0);
    const state = ['--data', join(folder.path, 'state'), '--listen', '127.0.0.1:0'];
    const { code, stderr } = await run('serve', '--bundle', open, ...state);
    expect(code).toBe(2);
    expect(stderr).toContain('BUNDLE_REFUSED: ');
  });
});
