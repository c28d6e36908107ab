/** `portcullis witness` as processes of its own: what it prints, serves, keeps, and how it ends. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import {
  checkpointOf,
  consistencyOf,
  leafOf,
  logFiles,
  logSigner,
  receiptOf,
  recordText,
  recordTexts,
  writeFiles,
} from '../support/small_log.ts';
import { run } from './fixture.ts';

const BIN = fileURLToPath(new URL('../../bin/portcullis.js', import.meta.url));
const LOG = logSigner('example.com/log');
const NINE = recordTexts(9);

let folder = '';
const children: ChildProcess[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'portcullis-witness-'));
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

const at = (name: string): string => join(folder, name);
const OWN = (): string[] => [
  '--key',
  LOG.vkey,
  '--key-file',
  at('witness.key'),
  '--state',
  at('state'),
  '--name',
  'witness.example/w1',
];
const witnessOnce = (...argv: string[]) =>
  run('witness', '--log', at('log'), ...OWN(), '--once', ...argv);

/** How an indented object ends; notes may follow the first. */
const END = '\n}\n';

function firstOf(stdout: string): { key: string; url: string } {
  return JSON.parse(stdout.slice(0, stdout.indexOf(END) + 2)) as { key: string; url: string };
}

/** Starts a witness; resolves with its key and URL, which it prints as JSON. */
async function start(...argv: string[]) {
  const child = spawn(process.execPath, [BIN, 'witness', '--json', ...OWN(), ...argv]);
  children.push(child);
  let stdout = '';
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const exited = once(child, 'exit') as Promise<[number | null]>;
  const announced = new Promise<void>((resolve) => {
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk.toString();
      if (stdout.includes(END)) resolve();
    });
  });
  const code = await Promise.race([announced, exited.then(([found]) => found)]);
  const said = () => ({ stdout, stderr });
  if (stdout === '') return { code, said, url: '', key: '', child, exited };
  return { code, said, child, exited, ...firstOf(stdout) };
}

function submission(old: number, entries: readonly string[]): string {
  const path = old === 0 ? [] : consistencyOf(old, entries.map(leafOf));
  const lines = [`old ${old}`, ...path.map((hash) => hash.toString('base64'))];
  return `${lines.join('\n')}\n\n${checkpointOf(entries, [LOG])}`;
}

const post = async (url: string, body: string): Promise<number> =>
  (await fetch(`${url}/add-checkpoint`, { method: 'POST', body })).status;

test('what a witness cosigned once is believed by who asks for that witness', async () => {
  writeFiles(at('log'), logFiles(NINE, [LOG]));
  const first = await witnessOnce();
  expect([first.code, first.stderr]).toEqual([0, '']);
  expect(first.stdout.startsWith(checkpointOf(NINE, [LOG]))).toBe(true);
  const { key } = await start('--listen', '127.0.0.1:0');
  writeFileSync(at('witnesses.policy'), `witness w1 ${key}\nquorum w1\n`);
  const receipt = receiptOf(NINE, [], { index: 4, checkpoint: first.stdout });
  writeFileSync(at('a.tlog-proof'), receipt);
  const argv = ['--key', LOG.vkey, '--policy', at('witnesses.policy')];
  const { code, stdout } = await run('verify', at('a.tlog-proof'), ...argv);
  expect([code, stdout]).toEqual([
    0,
    expect.stringContaining('cosigned by witness.example/w1 at '),
  ]);
});

test.each([
  ['LOG_TRUNCATED', NINE.slice(0, 5)],
  ['LOG_FORKED', NINE.with(2, recordText(2, 'another'))],
  ['LOG_REWRITTEN', recordTexts(12).with(2, recordText(2, 'another'))],
])(
  '%s is not cosigned, after a restart too, and both signed texts are told',
  async (code, entries) => {
    writeFiles(at('log'), logFiles(NINE, [LOG]));
    expect((await witnessOnce()).code).toBe(0);
    rmSync(at('log'), { recursive: true });
    writeFiles(at('log'), logFiles(entries, [LOG]));
    const { code: exit, stdout, stderr } = await witnessOnce();
    expect([exit, stdout]).toEqual([1, expect.stringContaining(`not cosigned: ${code}: `)]);
    const { known, found } = JSON.parse(stderr.split('\n')[0] ?? '') as Record<string, string>;
    expect(known).toContain(checkpointOf(NINE, [LOG]));
    expect(found).toBe(checkpointOf(entries, [LOG]));
    const told = await witnessOnce('--json');
    expect(JSON.parse(told.stdout)).toEqual(expect.objectContaining({ cosigned: false, code }));
  },
);

test('a witness that is killed again and again forgets nothing that it cosigned', async () => {
  let known = 0;
  for (const size of [3, 6, 9]) {
    const { url, child, exited } = await start('--listen', '127.0.0.1:0');
    expect(await post(url, submission(known, NINE.slice(0, size)))).toBe(200);
    expect(await post(url, submission(known, NINE.slice(0, size)))).toBe(409);
    known = size;
    child.kill('SIGKILL');
    await exited;
  }
});

test('a running witness follows the log, and ends with success when it is told to', async () => {
  writeFiles(at('log'), logFiles(NINE.slice(0, 5), [LOG]));
  const { child, exited, said } = await start('--log', at('log'), '--interval-seconds', '1');
  const cosigned = async (size: number): Promise<void> => {
    while (!said().stdout.includes(`\\n${size}\\n`)) await once(child.stdout as never, 'data');
  };
  await cosigned(5);
  writeFiles(at('log'), logFiles(NINE, [LOG]));
  await cosigned(9);
  child.kill('SIGTERM');
  expect((await exited)[0]).toBe(0);
});

test('a second witness on one state is refused', async () => {
  await start('--listen', '127.0.0.1:0');
  const second = await start('--listen', '127.0.0.1:0');
  expect(second.code).toBe(3);
  expect(second.said().stderr).toContain('EVIDENCE_LOCKED');
});

test('a state of another key is not believed', async () => {
  writeFiles(at('log'), logFiles(NINE, [LOG]));
  await witnessOnce();
  rmSync(at('witness.key'));
  const { code, stderr } = await witnessOnce();
  expect([code, stderr]).toEqual([3, expect.stringContaining('EVIDENCE_DAMAGED')]);
});

test.each([
  ['nothing to follow or to serve', [], 'name a log to follow'],
  ['--once without a log', ['--once', '--listen', '127.0.0.1:0'], 'name a log to follow'],
  ['an interval of nothing', ['--log', 'x', '--interval-seconds', '0'], '--interval-seconds'],
])('%s is a mistake of the caller', async (_name, argv, message) => {
  const { code, stderr } = await run('witness', ...OWN(), ...argv);
  expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
});

test('a signing key is for its owner only, and is made once', async () => {
  writeFiles(at('log'), logFiles(NINE, [LOG]));
  await witnessOnce();
  const key = readFileSync(at('witness.key'), 'utf8');
  await witnessOnce();
  expect(readFileSync(at('witness.key'), 'utf8')).toBe(key);
  const other = await witnessOnce('--name', 'witness.example/w2');
  expect([other.code, other.stderr]).toEqual([2, expect.stringContaining('of another witness')]);
  chmodSync(at('witness.key'), 0o644);
  const open = await witnessOnce();
  expect([open.code, open.stderr]).toEqual([2, expect.stringContaining('is open to others')]);
  writeFileSync(at('witness.key'), 'no key\n');
  chmodSync(at('witness.key'), 0o600);
  const wrong = await witnessOnce();
  expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('holds no key')]);
});
