/** `POST /v1/evidence/redactions`: who may have what removed. */
import { afterEach, expect, test } from '@jest/globals';
import type { Redaction } from '../../src/evidence/types.ts';
import { PortcullisError } from '../../src/errors.ts';
import {
  EVIDENCE,
  recordingCore,
  send,
  start,
  TOKEN,
  tokenOf,
  tokensOf,
  type Started,
} from './fixture.ts';

const asked: Redaction[] = [];
let service: Started;
afterEach(async () => {
  asked.length = 0;
  await service.close();
});

async function ask(body: object, tenants?: readonly string[], fault?: PortcullisError) {
  const tokens = tokensOf({ ...tokenOf(['administer'], 'main'), ...(tenants && { tenants }) });
  service = await start(recordingCore(), {}, tokens, undefined, undefined, {
    ...EVIDENCE,
    redactions: {
      redact: (redaction) => {
        asked.push(redaction);
        return fault ? Promise.reject(fault) : Promise.resolve({ index: 7, records: 2 });
      },
    },
  });
  const headers = { authorization: `Bearer ${TOKEN}` };
  const options = { method: 'POST', headers, body: JSON.stringify(body) } as const;
  return send(service.url, '/v1/evidence/redactions', options);
}

test('is done for who may administer, under its name', async () => {
  const sent = await ask({ by: { subject: 'user:a' }, only: ['request'] });
  expect([sent.status, sent.body]).toEqual([200, { index: 7, records: 2 }]);
  expect(asked).toEqual([{ caller: 'main', by: { subject: 'user:a' }, only: ['request'] }]);
});

test('of a caller that is bound to tenants reaches these only', async () => {
  const sent = await ask({ by: { subject: 'user:a' } }, ['acme']);
  expect(sent.status).toBe(200);
  expect(asked).toEqual([
    { caller: 'main', by: { subject: 'user:a' }, tenants: new Set(['acme']) },
  ]);
});

test('of another tenant is refused', async () => {
  const sent = await ask({ by: { tenant: 'globex' } }, ['acme']);
  expect([sent.status, sent.body]).toEqual([
    403,
    {
      error: {
        code: 'UNAUTHENTICATED',
        message: 'the caller may redact records of its own tenants only',
      },
    },
  ]);
  expect(asked).toEqual([]);
});

test('that says nothing of the records is refused', async () => {
  const sent = await ask({ only: ['request'] });
  expect([sent.status, asked]).toEqual([400, []]);
});

test('that the disk does not take is told as such', async () => {
  const fault = new PortcullisError('EVIDENCE_UNWRITABLE', 'the disk is full');
  expect((await ask({ by: { record: 1 } }, undefined, fault)).status).toBe(503);
});
