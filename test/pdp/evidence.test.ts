/** The evidence log over HTTP: its files for verifiers, and its records for who may read them. */
import { readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Client } from 'undici';
import { answerProof, keysOf } from '../../src/contract/proof.ts';
import type { EvidenceRecord } from '../../src/contract/types.gen.ts';
import { EvidenceIndex } from '../../src/evidence/index/evidence_index.ts';
import { readingOf } from '../../src/evidence/index/reading.ts';
import type { ProvableLog } from '../../src/evidence/types.ts';
import { writeDecisions, writeOutcomes } from '../evidence/index/fixture.ts';
import { openLog, readAll } from '../support/evidence_log.ts';
import {
  EVIDENCE,
  NO_CERTIFICATES,
  recordingCore,
  send,
  sendRaw,
  start,
  TOKEN,
  tokenOf,
  tokensOf,
  type Started,
} from './fixture.ts';

const BOUND = 'a-token-that-is-bound-0123456789abcdef';
const RECORDS = 600;
const TENANTS = ['tenant-1', 'tenant-0', undefined];
const clock = { now_ms: () => Date.now() };

let directory: string;
let log: ProvableLog;
let index: EvidenceIndex;
let service: Started;
let records: EvidenceRecord[];
beforeAll(async () => {
  directory = await writeDecisions(RECORDS - TENANTS.length);
  log = await openLog(directory);
  await writeOutcomes(log, TENANTS);
  records = await readAll(directory);
  const path = `${directory}.index`;
  index = new EvidenceIndex({ directory, path, newKey: () => randomBytes(32) });
  const tokens = tokensOf(tokenOf(['evidence']), {
    ...tokenOf(['evidence'], 'bound', BOUND),
    tenants: ['tenant-1', 'tenant-2'],
  });
  service = await start(recordingCore(), {}, tokens, clock, NO_CERTIFICATES, {
    tree: log.tree,
    records: readingOf(index),
    page_records_max: 50,
    redactions: log,
    page_bytes_max: 1_048_576,
  });
});
afterAll(async () => {
  await service.close();
  await index.close();
  await log.close();
});

interface Got {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  bytes: Buffer;
}

/** The path goes out as it is. */
async function get(path: string, token = TOKEN, headers: Record<string, string> = {}) {
  const client = new Client(service.url);
  try {
    const request = { method: 'GET', path: `/v1/evidence/${path}` } as const;
    const authorization = `Bearer ${token}`;
    const answer = await client.request({ ...request, headers: { authorization, ...headers } });
    const bytes = Buffer.from(await answer.body.bytes());
    return { status: answer.statusCode, headers: answer.headers, bytes } as Got;
  } finally {
    await client.destroy();
  }
}

const jsonOf = <T>({ bytes }: Got): T => JSON.parse(bytes.toString()) as T;
interface Page {
  records: EvidenceRecord[];
  next: string | null;
}

describe('the files of the log', () => {
  test('are those of its tree, and never change but the checkpoint', async () => {
    const checkpoint = await get('checkpoint');
    expect(checkpoint.bytes.toString()).toBe(log.tree.checkpoint());
    expect(checkpoint.headers).toMatchObject({
      'content-type': 'text/plain; charset=utf-8',
      'cache-control': 'no-store',
    });
    const immutable = {
      'content-type': 'application/octet-stream',
      'cache-control': 'private, max-age=31536000, immutable',
    };
    for (const [path, size_bytes] of [
      ['tile/0/000', 8192],
      ['tile/0/002.p/88', 88 * 32],
      ['tile/1/000.p/2', 64],
    ] as const) {
      const tile = await get(path);
      expect([path, tile.status, tile.bytes.length]).toEqual([path, 200, size_bytes]);
      expect(tile.headers).toMatchObject(immutable);
    }
    const entries = await get('tile/entries/002.p/88');
    expect(entries.headers).toMatchObject(immutable);
    expect(entries.bytes.readUInt16BE(0)).toBeGreaterThan(200);
    expect(entries.bytes.includes('user:')).toBe(false);
  });

  test.each([
    'tile/0/003',
    'tile/0/002',
    'tile/0/002.p/89',
    'tile/0/000.p/0',
    'tile/0/000.p/256',
    'tile/0/000.p/01',
    'tile/00/000',
    'tile/64/000',
    'tile/2/000',
    'tile/0/x000/000',
    'tile/0/0',
    'tile/0/x999/x999/x999/x999/x999/x999/999',
    'tile/0/',
    'tile/',
    'tile/entries/000/',
    'tile/entries/../0/000',
    'tile/0/%2e%2e/%2e%2e/keys',
    'tile/0/..%2f..%2f..%2fkeys',
    'tile/../../../../../etc/passwd',
    'tile/0/000%00',
    'tile/0/%30%30%30',
    'tile//0/000',
    '../evidence/tile/0/000',
    'keys',
    '0000000000000000.log',
    'records/600',
    'records/-1',
    'records/00',
    'records/%',
    'records/1e1',
    'receipts/600',
    'receipts/no-such-id',
    'receipts/..%2f..%2fkeys',
  ])('%s is not there', async (path) => {
    expect((await get(path)).status).toBe(404);
  });

  test('are not for a caller that is bound to tenants, but the checkpoint is', async () => {
    const statuses = [];
    for (const path of ['tile/0/000', 'tile/entries/000', 'tile/9/000', 'checkpoint']) {
      statuses.push((await get(path, BOUND)).status);
    }
    expect(statuses).toEqual([403, 403, 403, 200]);
  });

  test('come with the proof that the service answered', async () => {
    const nonce = 'a-nonce-of-the-tests';
    const { headers, bytes } = await get('tile/0/000', TOKEN, { 'portcullis-nonce': nonce });
    const request = { nonce, method: 'GET', target: '/v1/evidence/tile/0/000', body: '' };
    const proof = answerProof(keysOf(TOKEN), request, { status: 200, body: bytes });
    expect(headers['portcullis-proof']).toBe(proof);
  });

  test('answer HEAD with their length alone, and take no other method', async () => {
    const authorization = `Bearer ${TOKEN}`;
    const lines = `Host: localhost:${service.port}\r\nAuthorization: ${authorization}\r\n`;
    const target = '/v1/evidence/tile/0/000 HTTP/1.1\r\nConnection: close\r\n';
    const answer = await sendRaw(service.port, `HEAD ${target}${lines}\r\n`);
    expect(answer).toMatch(/^HTTP\/1.1 200/);
    expect(answer).toMatch(/Content-Length: 8192\r\n/);
    expect(answer.endsWith('\r\n\r\n')).toBe(true);
    expect((await send(service.url, '/v1/evidence/checkpoint', { body: '{}' })).status).toBe(405);
  });
});

describe('records', () => {
  const isOf = (tenant: string) => (record: EvidenceRecord) =>
    [record.request?.subject.tenant, record.subject_tenant].includes(tenant);

  async function walk(query: string, token = TOKEN): Promise<EvidenceRecord[]> {
    const all: EvidenceRecord[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const page: Page = jsonOf(
        await get(`records?${query}${cursor && `&cursor=${cursor}`}`, token),
      );
      all.push(...page.records);
      cursor = page.next;
    }
    return all;
  }

  test('are found by filters, page by page', async () => {
    const found = await walk('order=oldest&limit=7&outcome=deny&agent=agent-1&agent=agent-2');
    const expected = records.filter(
      ({ outcome, request }) =>
        outcome === 'deny' && ['agent-1', 'agent-2'].includes(request?.agent ?? ''),
    );
    expect(expected.length).toBeGreaterThan(20);
    expect(found).toEqual(expected);
  });

  test('come the newest first, as many as a page holds', async () => {
    const page: Page = jsonOf(await get('records'));
    expect(page.records).toEqual(records.slice(-50).reverse());
    expect((await get('records')).headers['content-type']).toBe('application/json');
  });

  test('of a time are found by it', async () => {
    const [from, to] = [records[100]?.time, records[110]?.time];
    const found = await walk(`order=oldest&from=${from}&to=${to}`);
    expect(found).toEqual(records.slice(100, 110));
  });

  test('of other tenants are not there for a caller that is bound', async () => {
    const own = records.filter((each) => isOf('tenant-1')(each) || isOf('tenant-2')(each));
    expect(await walk('order=oldest', BOUND)).toEqual(own);
    const first = records.filter(isOf('tenant-1'));
    expect(await walk('order=oldest&tenant=tenant-1', BOUND)).toEqual(first);
    expect(await walk('tenant=tenant-0', BOUND)).toEqual([]);
    expect(own.at(-1)).toMatchObject({ kind: 'outcome', subject_tenant: 'tenant-1' });
    for (const record of [...records.slice(0, 12), ...records.slice(-3)]) {
      const { index: at, kind, evaluation_id } = record;
      const paths = [`records/${at}`, `receipts/${at}`];
      if (kind === 'decision') paths.push(`receipts/${evaluation_id}`);
      const isOwn = own.includes(record);
      for (const path of paths) expect((await get(path, BOUND)).status).toBe(isOwn ? 200 : 404);
    }
  });

  test('and receipts are had by their place, and receipts by evaluation id', async () => {
    expect(jsonOf(await get('records/17'))).toEqual(records[17]);
    const receipt = await log.tree.receiptOf(17);
    expect((await get('receipts/17')).bytes.toString()).toBe(receipt);
    expect((await get('receipts/evaluation-17')).bytes.toString()).toBe(receipt);
    expect((await get('receipts/evaluation%2D17')).bytes.toString()).toBe(receipt);
  });

  test.each([
    ['limit=0', /`limit` is a number from 1 to 50/],
    ['limit=51', /`limit` is a number from 1 to 50/],
    ['limit=', /`limit`/],
    ['limit=5&limit=5', /`limit` is given twice/],
    ['order=random', /`order` is newest or oldest/],
    ['from=yesterday', /`from` is no time/],
    ['to=2027-01-01', /`to` is no time/],
    ['from=2027-01-01T00:00:00Z&from=2027-01-01T00:00:00Z', /`from` is given twice/],
    ['subjcet=alice', /`subjcet` is no filter; these are: subject, agent/],
    ['__proto__=x', /`__proto__` is no filter/],
    ['%1b%5b2J=x', /a name that is no filter/],
    ['cursor=forged', /the cursor is none/],
    ['cursor=a&cursor=b', /`cursor` is given twice/],
  ])('are refused for the query %s', async (query, message) => {
    const answer = await get(`records?${query}`);
    expect(answer.status).toBe(400);
    const { error } = jsonOf<{ error: { code: string; message: string } }>(answer);
    expect(error).toEqual({ code: 'REQUEST_INVALID', message: expect.stringMatching(message) });
  });

  test.each([1, 49, 50])('are %d where so many are asked for', async (limit) => {
    expect(jsonOf<Page>(await get(`records?limit=${limit}`)).records).toHaveLength(limit);
  });
});

describe('a log that was changed', () => {
  test.each([
    ['a tile is missing', (place: string) => rmSync(join(place, 'tile/0/000'))],
    ['a tile is corrupt', (place: string) => writeFileSync(join(place, 'tile/0/000'), 'short')],
    [
      'a record is edited',
      (place: string) => {
        const [segment = ''] = readdirSync(place).filter((name) => name.endsWith('.log'));
        const text = readFileSync(join(place, segment), 'utf8');
        writeFileSync(join(place, segment), text.replace('"index":5,', '"index":6,'));
      },
    ],
  ])('shows nothing false: %s', async (_, change) => {
    const place = await writeDecisions(300);
    const changed = await openLog(place);
    change(place);
    const tokens = tokensOf(tokenOf(['evidence']));
    const evidence = { ...EVIDENCE, tree: changed.tree };
    const own = await start(recordingCore(), {}, tokens, clock, NO_CERTIFICATES, evidence);
    const asked = ['tile/0/000', 'tile/entries/000', 'receipts/5'];
    const answers = [];
    for (const path of asked) {
      answers.push(await send(own.url, `/v1/evidence/${path}`, { method: 'GET' }).catch(String));
    }
    const failed = answers.filter((answer) => typeof answer === 'object' && answer.status === 500);
    expect(failed.length).toBeGreaterThan(0);
    expect(own.log.lines.some(({ fields }) => fields?.code === 'EVIDENCE_DAMAGED')).toBe(true);
    await own.close();
    await changed.close();
  });
});
