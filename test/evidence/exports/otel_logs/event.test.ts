/** Log records of OpenTelemetry in the JSON encoding of OTLP, pinned. */
import { expect, test } from '@jest/globals';
import type { EvidenceRecord } from '../../../../src/contract/types.gen.ts';
import { otelLogRecord } from '../../../../src/evidence/exports/otel_logs/event.ts';
import { decision } from '../fixture.ts';

const HEAD = { v: 1, index: 7, time: '2027-01-01T00:00:00.001Z', instance: 'one' } as const;
const RECORD: EvidenceRecord = { ...HEAD, ...decision(3) };

const text = (key: string, stringValue: string) => ({ key, value: { stringValue } });
const list = (key: string, ...values: string[]) => ({
  key,
  value: { arrayValue: { values: values.map((stringValue) => ({ stringValue })) } },
});

test('a decision is a log record with one flat attribute for each value', () => {
  const record = otelLogRecord(RECORD) as { attributes: { key: string }[] };
  record.attributes.sort((a, b) => (a.key < b.key ? -1 : 1));
  expect(JSON.parse(JSON.stringify(record))).toEqual({
    timeUnixNano: '1798761600001000000',
    severityNumber: 13,
    severityText: 'WARN',
    eventName: 'portcullis.decision',
    body: { stringValue: 'portcullis.decision' },
    attributes: [
      text('portcullis.caller', 'guard'),
      { key: 'portcullis.decision', value: { boolValue: false } },
      text('portcullis.evaluation_id', 'evaluation-3'),
      { key: 'portcullis.index', value: { intValue: '7' } },
      text('portcullis.instance', 'one'),
      text('portcullis.kind', 'decision'),
      list('portcullis.obligations'),
      text('portcullis.outcome', 'deny'),
      text('portcullis.policy.digest', `sha256:${'a'.repeat(64)}`),
      text('portcullis.policy.revision', 'r1'),
      text('portcullis.profile', 'mcp/1'),
      text('portcullis.reason_code', 'TRANSFER_LIMIT'),
      text('portcullis.request.action', 'tools/call'),
      text('portcullis.request.agent', 'planner'),
      text('portcullis.request.environment', 'production'),
      text('portcullis.request.phase', 'call'),
      { key: 'portcullis.request.request_id', value: { intValue: '3' } },
      text('portcullis.request.resource.id', 'transfer'),
      text('portcullis.request.resource.server', 'payments'),
      text('portcullis.request.resource.type', 'tool'),
      text('portcullis.request.session', 'active'),
      list('portcullis.request.subject.delegation', 'planner'),
      list('portcullis.request.subject.groups', 'tellers'),
      text('portcullis.request.subject.id', 'user:ada'),
      text(
        'portcullis.request.traceparent',
        '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      ),
      list('portcullis.rules', 'payments/transfer_limit'),
      { key: 'portcullis.visible', value: { boolValue: true } },
    ],
    traceId: '0af7651916cd43dd8448eb211c80319c',
    spanId: 'b7ad6b7169203331',
    flags: 1,
  });
});

test('a value of each kind has its own place, and what is no value has none', () => {
  const values = { half: 0.5, huge: 2 ** 53, none: null, absent: undefined, list: [1, 0.5, null] };
  const record = { ...HEAD, kind: 'decision', arguments: values } as EvidenceRecord;
  const { attributes } = otelLogRecord(record) as { attributes: object[] };
  expect(attributes).toEqual([
    text('portcullis.kind', 'decision'),
    { key: 'portcullis.index', value: { intValue: '7' } },
    text('portcullis.instance', 'one'),
    { key: 'portcullis.arguments.half', value: { doubleValue: 0.5 } },
    { key: 'portcullis.arguments.huge', value: { doubleValue: 2 ** 53 } },
    {
      key: 'portcullis.arguments.list',
      value: {
        arrayValue: { values: [{ intValue: '1' }, { doubleValue: 0.5 }, { stringValue: 'null' }] },
      },
    },
  ]);
});

test('an object within a list is a text of JSON', () => {
  const shown = [{ type: 'tool', id: 'transfer' }];
  const record = otelLogRecord({ ...HEAD, kind: 'discovery', shown }) as { attributes: object[] };
  expect(record.attributes).toContainEqual(
    list('portcullis.shown', '{"type":"tool","id":"transfer"}'),
  );
});

test.each<[Partial<EvidenceRecord>, string, number]>([
  [{ kind: 'decision', decision: true }, 'INFO', 9],
  [{ kind: 'decision', decision: false }, 'WARN', 13],
  [{ kind: 'discovery' }, 'INFO', 9],
  [{ kind: 'outcome' }, 'INFO', 9],
  [{ kind: 'recovery' }, 'WARN', 13],
  [{ kind: 'actor_failure' }, 'WARN', 13],
  [{ kind: 'backend_error' }, 'ERROR', 17],
])('%j has the severity %s', (members, severityText, severityNumber) => {
  const record = { ...HEAD, ...members } as EvidenceRecord;
  expect(otelLogRecord(record)).toMatchObject({ severityText, severityNumber });
});
