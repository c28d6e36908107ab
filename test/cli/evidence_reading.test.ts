/** Reading evidence back: by commands on a folder, from a running service, and to the proof. */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { EvidenceRecord } from '../../src/contract/types.gen.ts';
import { readTokens } from '../../src/pdp/token_file.ts';
import { privateFolder } from '../pdp/fixture.ts';
import { readAll } from '../support/evidence_log.ts';
import { BIN, run, serve, type Serving } from './fixture.ts';

const BUNDLE = join(import.meta.dirname, '../../bundles/payments.tar.gz');
const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';

const execFileAsync = promisify(execFile);
const folder = privateFolder();
const state = join(folder.path, 'state');
const log = join(state, 'evidence');
const at = (name: string): string => join(folder.path, name);
let service: Serving;
let ids: string[];

beforeAll(async () => {
  writeFileSync(at('portcullis.yaml'), 'evidence:\n  checkpoint_interval_ms: 50\n');
  const options = ['--config', at('portcullis.yaml'), '--data', state, '--bundle', BUNDLE];
  service = await serve(...options, '--listen', '127.0.0.1:0');
  ids = await Promise.all(Array.from({ length: 300 }, (_, number) => decide(number)));
  await post('/v1/outcomes', { evaluation_id: ids[7], status: 'executed' });
  writeFileSync(at('log.vkey'), (await run('evidence', 'keys', '--log', log)).stdout);
}, 60_000);
afterAll(async () => {
  await service.stop('SIGKILL');
  folder.remove();
});

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

async function post(path: string, body: object): Promise<unknown> {
  const [held] = readTokens(service.token_file);
  const headers = { authorization: `Bearer ${held?.token}`, 'content-type': 'application/json' };
  const sent = { method: 'POST', headers, body: JSON.stringify(body) };
  return (await fetch(`${service.url}${path}`, sent)).json();
}

/** Every tenth by somebody whose name would steer a terminal; the first ones of one trace. */
async function decide(number: number): Promise<string> {
  const person = number % 10 === 0 ? 'eve\u001b[2J\u202e' : `person-${number % 5}`;
  const trace = number < 8 ? TRACE : String(number).padStart(32, '0');
  const traceparent = `00-${trace}-00f067aa0ba902b7-01`;
  const answer = (await post('/access/v1/evaluation', {
    subject: {
      type: 'identity',
      id: `user:${person}`,
      properties: { tenant: number % 3 === 0 ? 'acme' : 'other' },
    },
    action: { name: 'tools/call' },
    resource: { type: 'tool', id: 'transfer', properties: { server: 'payments' } },
    context: { request: { id: number, traceparent } },
  })) as { context: { evaluation_id: string } };
  return answer.context.evaluation_id;
}

const evidence = (...argv: string[]) => run('evidence', ...argv);

/** The ways to the same records. */
const sources = (): [string, string[]][] => [
  ['a folder', ['--log', log]],
  ['a socket', ['--url', `unix:${service.socket}`]],
  ['a URL', ['--url', service.url, '--token-file', service.token_file]],
];

test('show of what is not there says so, wherever it was looked for', async () => {
  for (const [place, source] of sources()) {
    for (const name of ['999999', 'no-such-id']) {
      const message = `the log has no record \`${name}\`: name an index or evaluation id`;
      expect([place, await evidence('show', name, ...source)]).toEqual([
        place,
        { code: 2, stdout: '', stderr: expect.stringContaining(message) },
      ]);
    }
  }
});

describe('list', () => {
  test('finds the same in the folder and by the service, page after page', async () => {
    const expected = (await readAll(log)).filter(
      ({ request }) => request?.subject.id === 'user:person-1',
    );
    expect(expected.length).toBeGreaterThan(20);
    for (const [name, source] of sources()) {
      const found: EvidenceRecord[] = [];
      let more: string[] = [];
      do {
        const filter = ['--subject', 'user:person-1', '--oldest', '--limit', '20', '--json'];
        const { code, stdout } = await evidence('list', ...source, ...filter, ...more);
        expect([name, code]).toEqual([name, 0]);
        const page = JSON.parse(stdout) as { records: EvidenceRecord[]; next: string | null };
        found.push(...page.records);
        more = page.next === null ? [] : ['--cursor', page.next];
      } while (more.length > 0);
      expect([name, found]).toEqual([name, expected]);
    }
  });

  test('is a table for a person, in which no name steers the terminal', async () => {
    const { stdout, stderr } = await evidence('list', '--log', log, '--limit', '30');
    const lines = stdout.trimEnd().split('\n');
    expect(lines).toHaveLength(30);
    expect(lines.some((line) => line.includes('user:eve\\u001b[2J\\u202e'))).toBe(true);
    expect(['\u001b', '\u202e'].filter((mark) => stdout.includes(mark))).toEqual([]);
    expect(stderr).toMatch(/^more with --cursor \S+\n$/);
  });

  test('says where nothing is found', async () => {
    const found = await evidence('list', '--log', log, '--subject', 'nobody');
    expect(found).toEqual({ code: 0, stdout: '', stderr: 'no record is found by that\n' });
  });
});

test('show tells a record, and what belongs to its request, by either name', async () => {
  const id = ids[7] as string;
  for (const [name, source] of sources()) {
    const { stdout } = await evidence('show', id, ...source, '--json');
    const told = JSON.parse(stdout) as { record: EvidenceRecord; related: EvidenceRecord[] };
    expect([name, told.record.evaluation_id]).toEqual([name, id]);
    expect(told.related.map(({ kind }) => kind)).toEqual([...Array(8).fill('decision'), 'outcome']);
    const byIndex = await evidence('show', String(told.record.index), ...source, '--json');
    expect(byIndex.stdout).toBe(stdout);
  }
  const { stdout } = await evidence('show', id, '--log', log);
  expect(stdout).toMatch(/of the same request, in order\n(?: {2}\d+ .*\n)*> \d+ .*decision/);
  expect(stdout).toMatch(/outcome .* executed/);
});

describe('tail', () => {
  test('tells the newest, and with --follow each that comes, until it is stopped', async () => {
    for (const [name, source] of sources()) {
      const subject = `user:late-to-${name.replaceAll(' ', '-')}`;
      const options = ['--lines', '1', '--follow', '--json', '--subject', subject];
      const child = spawn(process.execPath, [BIN, 'evidence', 'tail', ...source, ...options]);
      children.push(child);
      const records = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
      for (const action of ['tools/call', 'tools/list']) {
        await post('/access/v1/evaluation', {
          subject: { type: 'identity', id: subject },
          action: { name: action },
          resource: { type: 'tool', id: 'transfer', properties: { server: 'payments' } },
        });
        const { request } = JSON.parse((await records.next()).value as string) as EvidenceRecord;
        expect([name, request?.subject.id, request?.action]).toEqual([name, subject, action]);
      }
      child.kill('SIGINT');
      expect([name, await once(child, 'exit')]).toEqual([name, [0, null]]);
    }
  });

  test('without it ends', async () => {
    for (const [name, source] of sources()) {
      const { code, stdout } = await evidence('tail', ...source, '--lines', '60', '--json');
      const indices = stdout
        .trimEnd()
        .split('\n')
        .map((line) => indexIn(line));
      expect([name, code, indices.length]).toEqual([name, 0, 60]);
      expect(indices).toEqual(indices.map((_, n) => (indices[0] as number) + n));
    }
  });
});

const indexIn = (line: string): number => (JSON.parse(line) as EvidenceRecord).index;

describe('export', () => {
  test("of a tenant proves each of its records, and shows no other's", async () => {
    const options = ['--tenant', 'acme', '--receipts'];
    const argv = [BIN, 'evidence', 'export', '--log', log, ...options];
    const { stdout } = await execFileAsync(process.execPath, argv, { maxBuffer: 2 ** 26 });
    const lines = stdout.trimEnd().split('\n');
    expect(lines).toHaveLength(100);
    expect(stdout).not.toContain('"tenant":"other"');
    const paths = lines.slice(0, 20).map((text, number) => {
      const line = JSON.parse(text) as { record: EvidenceRecord; receipt: string };
      const [, extra = ''] = /^extra (.*)$/m.exec(line.receipt) ?? [];
      const [leaf = '', ...disclosed] = Buffer.from(extra, 'base64').toString().split('\t');
      const members = disclosed.map((sealed) => (JSON.parse(sealed) as object[])[2]);
      expect(Object.assign(JSON.parse(leaf), ...members)).toEqual(line.record);
      writeFileSync(at(`${number}.tlog-proof`), line.receipt);
      return at(`${number}.tlog-proof`);
    });
    expect((await run('verify', ...paths, '--key', at('log.vkey'))).code).toBe(0);
  });

  test('ends without a word where nobody reads on', async () => {
    const child = spawn(process.execPath, [BIN, 'evidence', 'export', '--log', log]);
    children.push(child);
    let stderr = '';
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    await once(child.stdout, 'data');
    child.stdout.destroy();
    expect([await once(child, 'exit'), stderr]).toEqual([[0, null], '']);
  });
});

describe('a running service is its log', () => {
  const web = (): string[] => [
    '--log',
    `${service.url}/v1/evidence`,
    '--token-file',
    service.token_file,
  ];

  test('that verify proves to its last record', async () => {
    const found = await run('verify', ...web(), '--key', at('log.vkey'));
    expect(found).toMatchObject({ code: 0, stderr: '' });
    expect(found.stdout).toMatch(/: true: the log \S+ holds 30\d records, each at its place/);
    const hashes = await run('verify', ...web(), '--key', at('log.vkey'), '--hashes');
    expect(hashes.code).toBe(0);
  });

  test('that a witness follows, and that begins with what it kept', async () => {
    const witness = ['--key', at('log.vkey'), '--key-file', at('witness.key'), '--once'];
    const cosign = () =>
      run('witness', ...web(), ...witness, '--state', at('witness'), '--name', 'witness.example/w');
    const first = await cosign();
    expect([first.code, first.stdout]).toEqual([
      0,
      expect.stringContaining('— witness.example/w '),
    ]);
    writeFileSync(at('kept'), first.stdout);
    await decide(1000);
    expect((await cosign()).code).toBe(0);
    const since = ['--since', at('kept'), '--key', at('log.vkey')];
    expect((await run('verify', ...web(), ...since)).code).toBe(0);
  });

  test('that takes a token, and one for evidence', async () => {
    const url = `${service.url}/v1/evidence`;
    const none = await run('verify', '--log', url, '--key', at('log.vkey'));
    expect(none).toMatchObject({ code: 3, stderr: expect.stringContaining('--token-file') });
    const tokens = JSON.parse(readFileSync(service.token_file, 'utf8')) as {
      tokens: { scopes: string[] }[];
    };
    for (const token of tokens.tokens) token.scopes = ['decide'];
    writeFileSync(at('decide.token'), JSON.stringify(tokens), { mode: 0o600 });
    const other = ['--log', url, '--key', at('log.vkey'), '--token-file', at('decide.token')];
    expect(await run('verify', ...other)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('no token with the scope `evidence`'),
    });
  });
});

test.each([
  [['list'], 'name a log with --log, or a service with --url'],
  [['list', '--log', 'a', '--url', 'b'], 'name a log with --log, or a service with --url'],
  [['list', '--url', 'http://127.0.0.1:1'], '--token-file'],
  [['list', '--log', 'a', '--token-file', 'b'], '--index belongs to --log'],
  [['list', '--log', '/nonexistent'], 'cannot be read'],
  [['list', '--log', 'LOG', '--limit', '0'], '--limit is a number from 1 to 1000'],
  [['list', '--log', 'LOG', '--limit', '1001'], '--limit is a number from 1 to 1000'],
  [['list', '--log', 'LOG', '--cursor', 'forged'], 'the cursor is none'],
  [['list', '--log', 'LOG', '--from', 'today'], '`from` is no time'],
  [['list', '--log', 'LOG', '--colour', 'red'], 'unknown option'],
  [['list', '--log', 'LOG', '--index', '/nonexistent/index'], 'cannot be written'],
  [['tail', '--log', 'LOG', '--lines', '0'], '--lines is a number'],
  [['tail'], 'name a log with --log, or a service with --url'],
  [['tail', '--log', 'a', '--url', 'b'], 'name a log with --log, or a service with --url'],
  [['export', '--log', 'LOG', '--format', 'csv'], '--format is jsonl'],
])('%j is refused with what helps', async (argv, message) => {
  const told = await evidence(...argv.map((text) => (text === 'LOG' ? log : text)));
  expect(told).toMatchObject({ code: 2, stderr: expect.stringContaining(message) });
});

test('a service that is not there is told as such', async () => {
  const options = ['--url', 'http://127.0.0.1:1', '--token-file', service.token_file];
  expect(await evidence('list', ...options)).toMatchObject({ code: 3 });
});
