/** docs/verify.md: each command is run as it stands there, and the table is the code's. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { FAULTS } from '../../src/verify/fault.ts';
import {
  checkpointOf,
  logFiles,
  logSigner,
  receiptOf,
  recordText,
  recordTexts,
  witnessSigner,
  writeFiles,
} from '../support/small_log.ts';

const BIN = fileURLToPath(new URL('../../bin/portcullis.js', import.meta.url));
const PAGE = readFileSync(new URL('../../docs/verify.md', import.meta.url), 'utf8');

/** Each command with the code that its block promises. */
const COMMANDS = [...PAGE.matchAll(/^```sh( false)?\n([^]*?)^```$/gm)].flatMap(
  ([, refused, block = '']) =>
    block
      .trim()
      .split('\n')
      .map((line): [string, number] => [line, refused ? 1 : 0]),
);

const folder = mkdtempSync(join(tmpdir(), 'portcullis-docs-'));
beforeAll(() => {
  const put = (name: string, content: string | Uint8Array): void =>
    writeFileSync(join(folder, name), content);
  const log = logSigner('example.com/log');
  const witnesses = ['w1', 'w2', 'w3'].map((name) => witnessSigner(`witness.example/${name}`));
  const entries = recordTexts(7);
  const [w1, , w3] = witnesses as [typeof log, typeof log, typeof log];
  const filled = /^log example[^]*?^quorum .*\n/m
    .exec(PAGE)?.[0]
    .replace('example.com/log+…', log.vkey)
    .replaceAll(/witness\.example\/w(\d)\+…/g, (_all, at) => witnesses[Number(at) - 1]?.vkey ?? '');
  put('witnesses.policy', filled as string);
  put('log.vkey', `${log.vkey}\n`);
  put('decision.tlog-proof', receiptOf(entries, [log, w1, w3], { index: 3 }));
  put('tampered.tlog-proof', receiptOf(entries, [log], { index: 3, record: recordText(3, 'x') }));
  put('kept.checkpoint', checkpointOf(entries.slice(0, 5), [log]));
  writeFiles(join(folder, 'log'), logFiles(entries, [log]));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('the page has commands', () => {
  expect(COMMANDS.length).toBeGreaterThan(7);
  expect(COMMANDS.every(([line]) => line.startsWith('portcullis '))).toBe(true);
});

test.each(COMMANDS)('%s', (line, code) => {
  const [, ...argv] = line.split(' ');
  const { status, stdout, stderr } = spawnSync(process.execPath, [BIN, ...argv], {
    cwd: folder,
    encoding: 'utf8',
  });
  expect([status, stderr]).toEqual([code, '']);
  expect(stdout).toMatch(code === 0 ? /true|^example.com\/log\n/ : /false: [A-Z_]+: /);
});

test('the page lists each reason once, in the order of the table', () => {
  const listed = [...PAGE.matchAll(/^\| `([A-Z_]+)`/gm)].map(([, code]) => code);
  expect(listed).toEqual(Object.keys(FAULTS));
});
