/** What stops a start is told with the file at fault, the reason in words and what helps. */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { openGuard } from '../../src/cli/guard.ts';
import { loadConfiguration } from '../../src/config/load.ts';
import { unpack, writeBundle } from '../../src/bundle/files.ts';
import { ERRORS, type ErrorCode } from '../../src/errors.ts';
import { privateFolder } from '../pdp/fixture.ts';
import { prerequisite } from '../support/prerequisite.ts';
import { run, runWith } from './fixture.ts';
import { DEFAULTS } from '../support/defaults.ts';

const TOP = fileURLToPath(new URL('../..', import.meta.url));
const BUNDLE = join(TOP, 'bundles/payments.tar.gz');
const POLICY = join(TOP, 'examples/payments-server/policy');
const WHOLE = readFileSync(BUNDLE);

let folder: ReturnType<typeof privateFolder>;
beforeEach(() => {
  folder = privateFolder();
});
afterEach(() => folder.remove());

function write(name: string, content: string | Uint8Array, mode = 0o600): string {
  const path = join(folder.path, name);
  writeFileSync(path, content, { mode });
  return path;
}

/** What `portcullis serve` says where it does not start. */
async function serveFault(...argv: string[]): Promise<string> {
  const state = ['--data', join(folder.path, 'state'), '--listen', '127.0.0.1:0'];
  const { code, stdout, stderr } = await run('serve', ...state, ...argv);
  expect([code, stdout]).toEqual([2, '']);
  return stderr
    .split('\n')
    .filter((line) => !line.startsWith('{'))
    .join('\n');
}

function told(code: ErrorCode, message: string): string {
  return `${code}: ${message}\n  ${ERRORS[code].remedy}\n`;
}

/** The bundle with one of its files changed. */
function bundleWith(path: string, change: (bytes: Uint8Array) => Uint8Array): Uint8Array {
  const files = new Map(unpack(WHOLE, DEFAULTS.policy));
  files.set(path, change(files.get(path) ?? new Uint8Array()));
  return writeBundle(files);
}

describe('a bundle', () => {
  test.each<[string, Uint8Array, string]>([
    ['cut off', WHOLE.subarray(0, 5000), 'the archive is cut off'],
    ['of junk', Buffer.from('\x00\x01\x02\x03'), 'the archive is no gzip'],
    ['of text', Buffer.from('package a\n'), 'the archive is no gzip'],
    ['with a byte flipped', WHOLE.with(2000, 0xff - (WHOLE[2000] ?? 0)), 'the archive is damaged'],
    [
      'with a byte of its module flipped',
      bundleWith('policy.wasm', (bytes) => bytes.with(2, 0)),
      'its policy module is damaged, or is not WebAssembly',
    ],
    [
      'with a manifest that is cut off',
      bundleWith('.manifest', (bytes) => bytes.subarray(0, -1)),
      '.manifest cannot be read: it is not JSON',
    ],
    [
      'with a manifest of another form',
      bundleWith('.manifest', () => Buffer.from('{"roots": "mcp"}')),
      '.manifest is wrong: at `/roots` it must be of type array',
    ],
  ])('%s is named with its fault', async (_what, bytes, fault) => {
    const bundle = write('broken.tar.gz', bytes);
    expect(await serveFault('--bundle', bundle)).toBe(
      told('BUNDLE_INVALID', `\`${bundle}\`: ${fault}`),
    );
  });

  test('that is missing, or a folder that holds none, says so', async () => {
    const absent = join(folder.path, 'absent.tar.gz');
    expect(await serveFault('--bundle', absent)).toBe(
      told('BUNDLE_INVALID', `cannot read \`${absent}\`: there is no such file or folder`),
    );
    const empty = join(folder.path, 'empty');
    mkdirSync(empty);
    expect(await serveFault('--bundle', empty)).toBe(
      told('BUNDLE_INVALID', `\`${empty}\`: it is no bundle: it holds no \`policy.wasm\``),
    );
  });

  test('is not said to stay in force where none is', () => {
    const claims = Object.values(ERRORS)
      .map(({ remedy }) => remedy)
      .filter((remedy) => remedy.includes('in force'));
    expect(claims).toHaveLength(4);
    for (const remedy of claims) expect(remedy).toContain('where a policy is active');
  });
});

describe('policy data', () => {
  test.each<[string, string, string]>([
    ['of a wrong type', 'grants: 5\n', 'it must be of type array: /grants'],
    [
      'with an unknown member',
      'surfaces: {a: {risk: low}}\n',
      'this member is not known: /surfaces/a/risk',
    ],
    [
      'with an unknown value',
      'registry: {"tool:a/b": {environment: x, approved: true, data_classes: [], risk: big}}',
      'it must be one of `low`, `medium`,',
    ],
  ])('%s is named with the place, once, and the reason in words', async (_what, text, fault) => {
    const data = write('data.yaml', text);
    const stderr = await serveFault('--bundle', BUNDLE, '--policy-data', data);
    expect(stderr).toContain(`DATA_INVALID: \`${data}\`: the data does not fit its schema: `);
    expect(stderr).toContain(fault);
    expect(stderr.match(/\/(?:grants|registry|surfaces)/gu)).toHaveLength(1);
  });

  test('that is missing is said to be missing', async () => {
    const absent = join(folder.path, 'absent.yaml');
    expect(await serveFault('--bundle', BUNDLE, '--policy-data', absent)).toBe(
      told('DATA_INVALID', `cannot read \`${absent}\`: there is no such file or folder`),
    );
  });

  test('that is no YAML says in which line', async () => {
    const data = write('data.yaml', 'grants: [1,\n');
    expect(await serveFault('--bundle', BUNDLE, '--policy-data', data)).toBe(
      told(
        'DATA_INVALID',
        `\`${data}\` cannot be read: not strict YAML, bad indent in line 2, column 1`,
      ),
    );
  });
});

describe.each([
  ['a member that is unknown', 'pdp: {lisen: x}', '`pdp.lisen`'],
  ['a limit beyond its range', 'pdp: {body_bytes_max: 1}', '`pdp.body_bytes_max`'],
  [
    'limits that contradict each other',
    'policy: {archive_bytes_max: 4096, unpacked_bytes_max: 2048}',
    '`policy.archive_bytes_max`',
  ],
])('[O-04] %s stops the start with its name', (_what, yaml, name) => {
  test.each([
    ['the service', ['serve', '--bundle', BUNDLE]],
    ['a check', ['check', POLICY]],
    ['a test', ['test', POLICY]],
    ['a build', ['build', POLICY, '-o', 'never.tar.gz']],
  ])('%s', async (_which, argv) => {
    const variables = { ...process.env, PORTCULLIS_CONFIG: write('gate.yaml', yaml) };
    const { code, stdout, stderr } = await runWith(variables, ...argv);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/^CONFIGURATION_INVALID: /u);
    expect(stderr).toContain(name);
  });

  test('a guard', () => {
    const config = write('gate.yaml', yaml);
    const load = (instance: string) =>
      loadConfiguration({ config, names: { server: 'payments', instance }, variables: {} });
    expect(() => openGuard(load)).toThrow(name);
  });
});

test('a token file that is none is told with its form, and how to get a new one', async () => {
  mkdirSync(join(folder.path, 'state'), { mode: 0o700 });
  write('state/token', '{"tokens": [{"id": "a"}]}');
  const stderr = await serveFault('--bundle', BUNDLE);
  expect(stderr).toContain(
    `the token file \`${join(folder.path, 'state/token')}\` cannot be used: ` +
      'at `/tokens/0/token` this member is missing; delete it, and the service makes a new one',
  );
  expect(stderr).toContain('or write {"tokens": [{"id": ');
});

test('null on the command line stands for nothing', async () => {
  const argv = ['serve', '--bundle', BUNDLE, '--data', join(folder.path, 'state')];
  const { code, stderr } = await runWith({}, ...argv, '--listen', 'null', '--socket', 'null');
  expect(code).toBe(2);
  expect(stderr).toContain('pdp.listen and pdp.socket are both null');
});

prerequisite(
  'a /proc',
  existsSync('/proc/self'),
  'run on Linux',
)('a folder in which nothing can be made', () => {
  test('is named, and the start ends', async () => {
    const argv = ['bin/portcullis.js', 'serve', '--bundle', BUNDLE, '--data', '/proc/nope'];
    const { code, stderr } = await new Promise<{ code: unknown; stderr: string }>((resolve) => {
      execFile(process.execPath, argv, { cwd: TOP, timeout: 30_000 }, (error, _out, err) => {
        resolve({ code: error?.code, stderr: err });
      });
    });
    expect(stderr).toContain('EVIDENCE_UNWRITABLE: the evidence directory `/proc/nope/evidence`');
    expect(stderr).toContain('no folder can be made there; name another in evidence.directory');
    expect(code).toBe(3);
  }, 60_000);
});
