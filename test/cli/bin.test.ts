import { execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import { prerequisite } from '../support/prerequisite.ts';

const BIN = fileURLToPath(new URL('../../bin/portcullis.js', import.meta.url));

/** Runs the entry with a Node; a failed run is a result. */
async function runBin(node: string, ...argv: string[]) {
  try {
    const { stdout, stderr } = await promisify(execFile)(node, [BIN, ...argv]);
    return { code: 0, stdout, stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, stdout, stderr };
  }
}

function versionOf(node: string): number {
  return Number(/^v(\d+)/.exec(execFileSync(node, ['--version'], { encoding: 'utf8' }))?.[1]);
}

function findOldNode(): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/bin', '/usr/local/bin'];
  const nodes = folders.map((folder) => join(folder, 'node')).filter((file) => existsSync(file));
  return nodes.find((node) => versionOf(node) < 24);
}

const old_node = findOldNode();

test('the entry runs the command line and gives its exit code', async () => {
  const helped = await runBin(process.execPath, '--help');
  expect([helped.code, helped.stderr]).toEqual([0, '']);
  expect(helped.stdout).toMatch(/^Usage: portcullis /);
  expect((await runBin(process.execPath, 'no-such-command')).code).toBe(2);
});

/** Runs it with nobody who reads what it prints. */
async function runUnread(...argv: string[]) {
  const child = spawn(process.execPath, [BIN, ...argv], { stdio: ['ignore', 'pipe', 'pipe'] });
  child.stdout.destroy();
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
    if (!child.killed && stderr.includes('a policy was activated')) child.kill('SIGTERM');
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stderr };
}

test('a closed stdout is a quiet end', async () => {
  expect(await runUnread('--help')).toEqual({ code: 0, stderr: '' });
  expect(await runUnread('serve', '--help')).toEqual({ code: 0, stderr: '' });
});

test('a service whose stdout is closed goes on until it is told to stop', async () => {
  const state = mkdtempSync(join(tmpdir(), 'portcullis-unread-'));
  try {
    const policy = ['--bundle', join(dirname(BIN), '../bundles/payments.tar.gz')];
    const { code, stderr } = await runUnread(
      ...['serve', ...policy, '--data', state, '--listen', '127.0.0.1:0'],
    );
    expect(stderr).toContain('"message":"the service stops","signal":"SIGTERM"');
    expect(code).toBe(0);
  } finally {
    rmSync(state, { recursive: true, force: true });
  }
});

prerequisite(
  'a Node older than 24',
  old_node !== undefined,
  'install one beside this',
)('an old Node', () => {
  test('is told the version found and the one needed', async () => {
    const { code, stdout, stderr } = await runBin(old_node ?? '', 'check', '.');
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(
      /^RUNTIME_UNSUITED: portcullis needs node 24 or newer, this is \d+\.\d+\.\d+\n {2}install it/,
    );
  });
});
