/** `portcullis verify`: what it says of receipts and logs, and how it ends. */
import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
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
import { run } from './fixture.ts';

const LOG = logSigner('example.com/log');
const WITNESS = witnessSigner('witness.example/w1', 1_793_527_200);
const ENTRIES = recordTexts(7);
const folder = mkdtempSync(join(tmpdir(), 'portcullis-verify-'));
const at = (name: string): string => join(folder, name);
const put = (name: string, content: string | Uint8Array): string => {
  writeFileSync(at(name), content);
  return at(name);
};

beforeAll(() => {
  put('true.tlog-proof', receiptOf(ENTRIES, [LOG, WITNESS], { index: 3 }));
  put(
    'false.tlog-proof',
    receiptOf(ENTRIES, [LOG, WITNESS], { index: 3, record: recordText(3, 'x') }),
  );
  put('log.vkey', `# the log\n${LOG.vkey}\n`);
  put('witnesses.policy', `witness w1 ${WITNESS.vkey}\nquorum w1\n`);
  put('strict.policy', `witness w1 ${witnessSigner('witness.example/w1').vkey}\nquorum w1\n`);
  put('five', checkpointOf(ENTRIES.slice(0, 5), [LOG]));
  put('fork', checkpointOf(ENTRIES.slice(0, 4).concat(recordText(4, 'x')), [LOG]));
  writeFiles(at('log'), logFiles(ENTRIES, [LOG, WITNESS]));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const verify = (...argv: string[]) => run('verify', ...argv);

test('a true receipt is told in a sentence', async () => {
  const policy = ['--policy', at('witnesses.policy')];
  expect(await verify(at('true.tlog-proof'), '--key', at('log.vkey'), ...policy)).toEqual({
    code: 0,
    stdout:
      `${at('true.tlog-proof')}: true: record 3 of 7 in the log example.com/log: decision at ` +
      '2026-11-01T10:00:00.000Z: user:alice@example.com asked for tools/call on tool ' +
      'payments/transfer and was answered deny (GRANT_ABSENT); ' +
      'cosigned by witness.example/w1 at 2026-11-01T10:00:00Z\n',
    stderr: '',
  });
});

test('a key can stand in the place of its file, and nobody has to be a witness', async () => {
  const { code, stdout } = await verify('--key', LOG.vkey, at('true.tlog-proof'));
  expect(code).toBe(0);
  expect(stdout).toContain('cosigned by nobody who was asked for');
});

test('a false receipt is told with its reason, and makes all of them no success', async () => {
  const { code, stdout } = await verify(
    at('true.tlog-proof'),
    at('false.tlog-proof'),
    '--key',
    LOG.vkey,
  );
  expect(code).toBe(1);
  const [first, second] = stdout.split('\n');
  expect(first).toMatch(/: true: /);
  expect(second).toBe(
    `${at('false.tlog-proof')}: false: INCLUSION_FALSE: the record is not at that index of the log`,
  );
});

test('the result as JSON says the same', async () => {
  const { stdout } = await verify(
    at('true.tlog-proof'),
    at('false.tlog-proof'),
    '--key',
    LOG.vkey,
    '--policy',
    at('witnesses.policy'),
    '--json',
  );
  expect(JSON.parse(stdout)).toEqual({
    verified: false,
    results: [
      {
        name: at('true.tlog-proof'),
        verified: true,
        log: expect.objectContaining({ origin: 'example.com/log', size: 7 }) as object,
        cosignatures: [{ name: 'witness.example/w1', time: '2026-11-01T10:00:00Z' }],
        not_checked: [],
        record: JSON.parse(ENTRIES[3] as string) as object,
        sealed: [],
      },
      expect.objectContaining({ verified: false, code: 'INCLUSION_FALSE' }),
    ],
  });
});

test('text that was signed cannot steer the terminal', async () => {
  const record = recordText(0).replace('user:alice', 'user:\\u001b[2J\u202ealice');
  put('steering.tlog-proof', receiptOf([record], [LOG], { index: 0 }));
  const { code, stdout } = await verify(at('steering.tlog-proof'), '--key', LOG.vkey);
  expect([code, stdout.includes('\u001b'), stdout.includes('\u202e')]).toEqual([0, false, false]);
});

test.each([
  ['nothing to judge', ['--key', LOG.vkey], 'name receipts'],
  [
    'receipts and a log',
    [at('true.tlog-proof'), '--log', at('log'), '--key', LOG.vkey],
    'name receipts',
  ],
  ['no key', [at('true.tlog-proof')], '--key'],
  ['an absent receipt', [at('absent'), '--key', LOG.vkey], 'there is no file'],
  ['a folder as a receipt', [folder, '--key', LOG.vkey], 'it is a folder'],
  ['an absent key', [at('true.tlog-proof'), '--key', at('absent')], 'there is no file'],
  ['a key that is none', [at('true.tlog-proof'), '--key', at('five')], 'KEY_MALFORMED'],
  ['a key with another id', ['x', '--key', LOG.vkey.replace('log+', 'lag+')], 'KEY_MALFORMED'],
  ['the key of a witness', [at('true.tlog-proof'), '--key', WITNESS.vkey], 'KEY_UNSUITED'],
  ['a policy that is none', ['x', '--key', LOG.vkey, '--policy', at('five')], 'POLICY_MALFORMED'],
  ['--since without a log', ['x', '--since', at('five'), '--key', LOG.vkey], '--log'],
  ['an empty file of keys', ['x', '--key', put('empty', '# none\n')], 'holds no key'],
])('%s is a mistake of the caller', async (_name, argv, message) => {
  const { code, stdout, stderr } = await verify(...argv);
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toContain('ARGUMENT_INVALID');
  expect(stderr).toContain(message);
});

test('a wrong key, and too few witnesses, are false', async () => {
  const wrong = await verify(at('true.tlog-proof'), '--key', logSigner(LOG.name).vkey);
  expect([wrong.code, wrong.stdout]).toEqual([1, expect.stringContaining('LOG_SIGNATURE_ABSENT')]);
  const other = await verify(at('true.tlog-proof'), '--key', logSigner('other').vkey);
  expect([other.code, other.stdout]).toEqual([1, expect.stringContaining('LOG_UNKNOWN')]);
  const few = await verify(
    at('true.tlog-proof'),
    '--key',
    LOG.vkey,
    '--policy',
    at('strict.policy'),
  );
  expect([few.code, few.stdout]).toEqual([1, expect.stringContaining('QUORUM_UNMET')]);
});

test('a policy that names the log needs no key, and lets no other log in by one', async () => {
  const policy = put('whole.policy', `log ${LOG.vkey}\nquorum none\n`);
  expect((await verify(at('true.tlog-proof'), '--policy', policy)).code).toBe(0);
  const other = logSigner('example.com/other').vkey;
  const { code, stderr } = await verify(at('true.tlog-proof'), '--policy', policy, '--key', other);
  expect([code, stderr]).toEqual([2, expect.stringContaining('the policy lists other logs')]);
});

test('a receipt of a gigabyte is refused without being read', async () => {
  const path = put('huge.tlog-proof', 'c2sp.org/tlog-proof@v1\nextra ');
  truncateSync(path, 2 ** 30);
  const { code, stdout } = await verify(path, '--key', LOG.vkey);
  expect([code, stdout]).toEqual([1, expect.stringContaining('TOO_LARGE')]);
  rmSync(path);
});

describe('a log', () => {
  test('is judged whole, and against a checkpoint that was kept', async () => {
    const { code, stdout } = await verify(
      '--log',
      at('log'),
      '--key',
      LOG.vkey,
      '--since',
      at('five'),
    );
    expect(code).toBe(0);
    expect(stdout).toBe(
      `${at('log')}: true: the log example.com/log holds 7 records, each at its place, and ` +
        `begins with the tree of ${at('five')}; cosigned by nobody who was asked for\n`,
    );
  });

  test('can be judged without its records', async () => {
    writeFiles(at('bare'), logFiles(ENTRIES, [LOG]));
    rmSync(at('bare/tile/entries'), { recursive: true });
    const argv = ['--log', at('bare'), '--key', LOG.vkey];
    expect((await verify(...argv)).stdout).toContain('TILE_MISSING');
    const { code, stdout } = await verify(...argv, '--hashes');
    expect([code, stdout]).toEqual([0, expect.stringContaining('7 hashes of records')]);
  });

  test('that does not begin with the checkpoint is false', async () => {
    const { code, stdout } = await verify(
      '--log',
      at('log'),
      '--key',
      LOG.vkey,
      '--since',
      at('fork'),
    );
    expect([code, stdout]).toEqual([1, expect.stringContaining('LOG_REWRITTEN')]);
  });

  test('with an entry bundle of a gigabyte is refused', async () => {
    writeFiles(at('bloated'), logFiles(ENTRIES, [LOG]));
    truncateSync(at('bloated/tile/entries/000.p/7'), 2 ** 30);
    const { code, stdout } = await verify('--log', at('bloated'), '--key', LOG.vkey);
    expect([code, stdout]).toEqual([1, expect.stringContaining('TILE_MALFORMED')]);
  });

  test('that is not there is false, and says what is missing', async () => {
    const { code, stdout } = await verify('--log', at('nowhere'), '--key', LOG.vkey);
    expect([code, stdout]).toEqual([1, expect.stringContaining('`checkpoint` is missing')]);
  });
});

describe('a log over HTTP', () => {
  const servers: Server[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) {
      server.closeAllConnections();
      server.close();
    }
  });

  /** Serves the files of the log; `answer` may answer first. */
  async function serve(answer: (url: string) => [status: number, headers: object] | undefined) {
    const server = createServer(({ url = '' }, response) => {
      const other = answer(url);
      if (other) return void response.writeHead(other[0], { ...other[1] }).end('x');
      try {
        const bytes = gzipSync(readFileSync(join(at('log'), url.replace('/evidence/', ''))));
        response.writeHead(200, { 'Content-Encoding': 'gzip' }).end(bytes);
      } catch {
        response.writeHead(404).end();
      }
    });
    servers.push(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/evidence`;
  }

  test('is judged as in a folder', async () => {
    const url = await serve(() => undefined);
    for (const prefix of [url, `${url}/`]) {
      const { code, stdout } = await verify('--log', prefix, '--key', LOG.vkey);
      expect([code, stdout]).toEqual([0, expect.stringContaining('holds 7 records')]);
    }
  });

  test.each([
    ['fails', 500, {}],
    ['is elsewhere', 302, { Location: '/' }],
  ])('that %s is not reachable, which is no judgement', async (_name, status, headers) => {
    const url = await serve((path) => (path.endsWith('/000.p/7') ? [status, headers] : undefined));
    const { code, stdout, stderr } = await verify('--log', url, '--key', LOG.vkey);
    expect([code, stdout]).toEqual([3, '']);
    expect(stderr).toContain(`UPSTREAM_FAILED: the log answers ${status}`);
  });

  test('where nobody listens is not reachable', async () => {
    const url = await serve(() => undefined);
    servers[0]?.close();
    const { code, stderr } = await verify('--log', url, '--key', LOG.vkey);
    expect([code, stderr]).toEqual([3, expect.stringContaining('UPSTREAM_FAILED')]);
  });

  test('that lacks a file is false', async () => {
    const url = await serve((path) => (path.includes('/tile/0/') ? [404, {}] : undefined));
    const { code, stdout } = await verify('--log', url, '--key', LOG.vkey);
    expect([code, stdout]).toEqual([1, expect.stringContaining('`tile/0/000.p/7` is missing')]);
  });
});
