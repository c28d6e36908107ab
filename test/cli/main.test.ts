import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { ERRORS } from '../../src/errors.ts';
import { EXIT_CODES } from '../../src/cli/terminal.ts';
import { run } from './fixture.ts';

test.each([
  [['chekc'], "ARGUMENT_INVALID: unknown command 'chekc'\n(Did you mean check?)\n"],
  [['check'], "ARGUMENT_INVALID: missing required argument 'folder'\n"],
  [['check', '.', '--stict'], "ARGUMENT_INVALID: unknown option '--stict'\n"],
  [['check', '.', 'more'], 'ARGUMENT_INVALID: too many arguments'],
  [['build', '.'], "ARGUMENT_INVALID: required option '-o, --output <file>' not specified\n"],
])('%j is a mistake of the caller', async (argv, message) => {
  const { code, stdout, stderr } = await run(...argv);
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toContain(message);
  expect(stderr).toContain('see --help');
});

test.each([[], ['check'], ['test'], ['build']])(
  '%s --help shows how it is used',
  async (...argv) => {
    const { code, stdout, stderr } = await run(...argv.flat(), '--help');
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^Usage: portcullis /);
    expect(stdout).toContain(`$ portcullis ${argv.flat()[0] ?? 'test'} `);
  },
);

test('--version prints that of the package', async () => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  expect(await run('--version')).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
});

test('null is offered where an option takes it', async () => {
  const { stdout } = await run('serve', '--help');
  expect(stdout).toContain('setting pdp.listen; null is no TCP');
  expect(stdout).toContain('setting pdp.socket; null is none');
});

test('without a command the help is the answer, and it is no success', async () => {
  const { code, stderr } = await run();
  expect(code).toBe(2);
  expect(stderr).toMatch(/^Usage: portcullis /);
});

test('an absent folder is named with what to do', async () => {
  expect(await run('check', 'no/such/folder')).toEqual({
    code: 2,
    stdout: '',
    stderr:
      'ARGUMENT_INVALID: there is no folder `no/such/folder`\n' +
      `  ${ERRORS.ARGUMENT_INVALID.remedy}\n`,
  });
});

test('each error code has an exit code', () => {
  expect(Object.keys(EXIT_CODES).sort()).toEqual(Object.keys(ERRORS).sort());
});
