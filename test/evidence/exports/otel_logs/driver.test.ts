/** Batches of log records: where they go, in what they stand, and what their answers say. */
import { expect, test } from '@jest/globals';
import { gunzipSync } from 'node:zlib';
import type { EvidenceRecord } from '../../../../src/contract/types.gen.ts';
import { otelLogs } from '../../../../src/evidence/exports/otel_logs/driver.ts';
import type { HttpPost } from '../../../../src/evidence/exports/receiver.ts';
import { decision } from '../fixture.ts';
import { NAMES } from '../worlds.ts';

const HEAD = { v: 1, index: 7, time: '2027-01-01T00:00:00.001Z', instance: 'one' } as const;
const RECORD: EvidenceRecord = { ...HEAD, ...decision(3) };

const text = (key: string, stringValue: string) => ({ key, value: { stringValue } });

function openDriver(answer: string) {
  const posts: HttpPost[] = [];
  const seen = { posts, closed: 0 };
  const driver = otelLogs({
    ...NAMES,
    clock: { now_ms: () => 0 },
    receiver: {
      async post(post) {
        posts.push(post);
        return { status: 200, retry_after: undefined, body: Buffer.from(answer) };
      },
      async close() {
        seen.closed += 1;
      },
    },
  });
  return { driver, seen };
}

async function deliver(answer: string): Promise<{ body: unknown; delivery: unknown }> {
  const { driver, seen } = openDriver(answer);
  const texts = [RECORD, { ...RECORD, index: 8 }].map((each) => String(driver.format(each)));
  const delivery = await driver.deliver(texts, new AbortController().signal);
  expect(seen.posts[0]!.path).toBe('/v1/logs');
  return { body: JSON.parse(gunzipSync(seen.posts[0]!.body).toString('utf8')), delivery };
}

test('a batch names the service as its resource', async () => {
  const { body } = await deliver('{}');
  expect(body).toEqual({
    resourceLogs: [
      {
        resource: {
          attributes: [
            text('service.name', 'portcullis'),
            text('service.version', '0.1.0'),
            text('service.instance.id', 'one'),
            text('portcullis.evidence.origin', NAMES.origin),
          ],
        },
        scopeLogs: [
          {
            scope: { name: 'portcullis.evidence', version: '0.1.0' },
            logRecords: [
              expect.objectContaining({ severityText: 'WARN' }),
              expect.objectContaining({ severityText: 'WARN' }),
            ],
          },
        ],
      },
    ],
  });
});

test.each([
  ['', 0],
  ['{}', 0],
  ['null', 0],
  ['no JSON', 0],
  ['{"partialSuccess":{}}', 0],
  ['{"partialSuccess":{"rejectedLogRecords":"2","errorMessage":"too old"}}', 2],
  ['{"partialSuccess":{"rejectedLogRecords":1}}', 1],
  ['{"partialSuccess":{"rejectedLogRecords":"-1"}}', 0],
])('a batch that is answered with %j lost %d records', async (answer, rejected_records) => {
  const { delivery } = await deliver(answer);
  expect(delivery).toEqual({ outcome: 'taken', rejected_records });
});

test('its connection is closed with the export', async () => {
  const { driver, seen } = openDriver('{}');
  expect(seen.closed).toBe(0);
  await driver.close();
  expect(seen.closed).toBe(1);
});
