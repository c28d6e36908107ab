/** `portcullis evidence`: from a service that runs to somebody who has a receipt and a key. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readTokens } from '../../src/pdp/token_file.ts';
import { privateFolder } from '../pdp/fixture.ts';
import { run, serve, type Serving } from './fixture.ts';

const BUNDLE = join(import.meta.dirname, '../../bundles/payments.tar.gz');
const REQUEST = {
  subject: { type: 'identity', id: 'user:mallory@example.com' },
  action: { name: 'tools/call' },
  resource: { type: 'tool', id: 'transfer', properties: { server: 'payments' } },
};

const folder = privateFolder();
const log = join(folder.path, 'state', 'evidence');
const at = (name: string): string => join(folder.path, name);
let service: Serving;
let evaluation_id: string;

function start(): Promise<Serving> {
  const state = ['--config', at('portcullis.yaml'), '--data', join(folder.path, 'state')];
  return serve(...state, '--bundle', BUNDLE, '--listen', '127.0.0.1:0');
}

async function post(path: string, body: object): Promise<{ status: number; body: unknown }> {
  const [held] = readTokens(service.token_file);
  const response = await fetch(`${service.url}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${held?.token}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: await response.json() };
}

beforeAll(async () => {
  writeFileSync(at('portcullis.yaml'), 'evidence:\n  checkpoint_interval_ms: 100\n');
  service = await start();
  const { body } = await post('/access/v1/evaluation', REQUEST);
  ({ evaluation_id } = (body as { context: { evaluation_id: string } }).context);
});
afterAll(async () => {
  await service.stop('SIGKILL');
  folder.remove();
});

/** The log signs a moment after it answered. */
async function receiptOf(record: string): Promise<string> {
  for (;;) {
    const { code, stdout, stderr } = await run('evidence', 'receipt', record, '--log', log);
    if (code === 0) return stdout;
    expect(stderr).toMatch(/has signed \d+ records, and not yet record|signed anything/);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function judged(receipt: string): Promise<{ code: number; said: string }> {
  const { stdout: keys } = await run('evidence', 'keys', '--log', log);
  writeFileSync(at('log.vkey'), keys);
  writeFileSync(at('receipt'), receipt);
  const { code, stdout } = await run('verify', at('receipt'), '--key', at('log.vkey'));
  return { code, said: stdout };
}

describe('the receipt of a decision', () => {
  test('[X-06] is had by the id of the answer, and true', async () => {
    const { code, said } = await judged(await receiptOf(evaluation_id));
    expect(code).toBe(0);
    expect(said).toContain('user:mallory@example.com asked for tools/call');
    expect(said).toContain('was answered deny');
  });

  test('is the same by its index', async () => {
    const { index } = JSON.parse(
      (await run('evidence', 'receipt', evaluation_id, '--log', log, '--json')).stdout,
    ) as { index: number };
    const line = (receipt: string) => /^extra .*$/m.exec(receipt)?.[0];
    expect(line(await receiptOf(String(index)))).toBe(line(await receiptOf(evaluation_id)));
  });

  test('is false where the record says something else', async () => {
    const changed = (await receiptOf(evaluation_id)).replace(/^extra (.*)$/m, (_line, extra) => {
      const text = Buffer.from(String(extra), 'base64').toString().replace('"deny"', '"allow"');
      return `extra ${Buffer.from(text).toString('base64')}`;
    });
    expect(await judged(changed)).toEqual({
      code: 1,
      said: expect.stringContaining('INCLUSION_FALSE'),
    });
  });
});

describe('a receipt that stays sealed', () => {
  test('is true, and tells nothing of who asked for what', async () => {
    await receiptOf(evaluation_id);
    const sealed = await run('evidence', 'receipt', evaluation_id, '--log', log, '--sealed');
    const { code, said } = await judged(sealed.stdout);
    expect(code).toBe(0);
    expect(said).not.toContain('mallory');
    expect(said).toContain('was answered deny');
    expect(said).toContain('; sealed: internals, request;');
  });
});

describe('redact', () => {
  const redact = (...filter: string[]) => run('evidence', 'redact', '--log', log, ...filter);
  const ask = (body: object) => post('/v1/evidence/redactions', body);
  /** All bytes of the folder. */
  const bytes = (): string =>
    readdirSync(log, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => readFileSync(join(parentPath, name), 'latin1'))
      .join('\n');

  test('is refused while a service writes the log', async () => {
    expect(await redact('--subject', 'user:mallory@example.com')).toMatchObject({
      code: 3,
      stderr: expect.stringMatching(/^EVIDENCE_LOCKED: /),
    });
    expect(bytes()).toContain('user:mallory@example.com');
  });

  test.each([
    [[], '--subject, --tenant, --record or --before'],
    [['--before', 'yesterday'], '`/by/before`'],
    [['--subject', ''], '`/by/subject`'],
    [['--record', '1', '--only', 'request,outcome'], '`/only/1`'],
  ])('with %j says what is wrong', async (filter, told) => {
    const { code, stderr } = await redact(...filter);
    expect([code, stderr.startsWith('ARGUMENT_INVALID')]).toEqual([2, true]);
    expect(stderr).toContain(told);
  });

  test('by the service leaves nothing of a subject, and receipts stay true', async () => {
    const by = { subject: 'user:mallory@example.com' };
    expect(await ask({ by: {} })).toMatchObject({ status: 400 });
    expect(await ask({ by })).toEqual({
      status: 200,
      body: { index: expect.any(Number), records: 1 },
    });
    expect(bytes()).not.toContain('mallory');
    const receipt = await receiptOf(evaluation_id);
    expect(Buffer.from(receipt, 'latin1').includes('mallory')).toBe(false);
    const { code, said } = await judged(receipt);
    expect([code, said.includes('; sealed: internals, request;')]).toEqual([0, true]);
  });

  test('of a stopped log takes it, records it, and the next service goes on', async () => {
    await post('/access/v1/evaluation', REQUEST);
    await service.stop('SIGTERM');
    const { code, stdout } = await redact('--before', '2999-01-01T00:00:00Z', '--json');
    const { index, records } = JSON.parse(stdout) as { index: number; records: number };
    expect([code, records]).toEqual([0, 2]);
    expect(bytes()).not.toContain('\t');
    expect(await redact('--record', '0')).toMatchObject({
      code: 0,
      stdout: `redacted 0 records, as record ${index + 1} says\n`,
    });
    service = await start();
    const { code: judgement, said } = await judged(await receiptOf(String(index)));
    expect(judgement).toBe(0);
    expect(said).toContain(`record ${index} of`);
    expect(bytes()).toContain(`"caller":"uid:${process.getuid!()}"`);
  });
});

test.each(['no folder', 'a file', 'a pipe', 'a folder in the place of the checkpoint'])(
  '%s is told, and not waited for',
  async (what) => {
    const place = at(what);
    if (what === 'a file') writeFileSync(place, '');
    if (what.startsWith('a folder')) mkdirSync(join(place, 'checkpoint'), { recursive: true });
    if (what === 'a pipe') {
      mkdirSync(place);
      execFileSync('mkfifo', [join(place, 'checkpoint')]);
    }
    const redaction = ['redact', '--record', '0'];
    for (const command of [['keys'], ['receipt', '0'], ['receipt', 'some-id'], redaction]) {
      const told = await run('evidence', ...command, '--log', place);
      expect(told).toMatchObject({ code: 2, stderr: expect.stringContaining(place) });
      expect(told.stderr).toMatch(/^ARGUMENT_INVALID/);
    }
  },
);

test('an id that the log has not, and a folder without a log, are told', async () => {
  const unknown = await run('evidence', 'receipt', 'no-such-id', '--log', log);
  expect(unknown).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('no decision of that id'),
  });
  const none = await run('evidence', 'redact', '--record', '0', '--log', folder.path);
  expect(none).toMatchObject({ code: 2, stderr: expect.stringContaining('signed a record') });
  const empty = await run('evidence', 'keys', '--log', folder.path);
  expect(empty).toMatchObject({ code: 2, stderr: expect.stringContaining('signed anything') });
});
