/** Events of the decision log, pinned, and beside those that an OPA server uploads itself. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from '@jest/globals';
import { openReceiver as openHttp } from '../../../../src/cli/export_receiver.ts';
import type { EvidenceRecord } from '../../../../src/contract/types.gen.ts';
import { opaDecisionLog } from '../../../../src/evidence/exports/opa_decision_log/driver.ts';
import { opaEvent } from '../../../../src/evidence/exports/opa_decision_log/event.ts';
import { freePort, opaAtPlace, Servers } from '../../../decision/foreign/processes.ts';
import { ORIGIN } from '../../../support/evidence_log.ts';
import { describeWithOpa } from '../../../support/toolchain.ts';
import { decision } from '../fixture.ts';
import { openReceiver, type Posted, type Receiver } from '../receiver.ts';
import { NAMES, PLAIN } from '../worlds.ts';

const HEAD = { v: 1, index: 7, time: '2027-01-01T00:00:00.000Z', instance: 'one' } as const;
const RECORD: EvidenceRecord = { ...HEAD, ...decision(3) };

/** As it is sent. */
const eventOf = (record: EvidenceRecord): unknown =>
  JSON.parse(JSON.stringify(opaEvent(record, NAMES)));

const INPUT = {
  subject: {
    id: 'user:ada',
    properties: { groups: ['tellers'], delegation: [{ id: 'planner' }] },
  },
  action: { name: 'tools/call' },
  resource: { type: 'tool', id: 'transfer', properties: { server: 'payments' } },
  context: {
    phase: 'call',
    agent: { id: 'planner' },
    environment: { deployment: 'production' },
    session: { state: 'active' },
    request: {
      id: 3,
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    },
    profile: 'mcp/1',
  },
};

const EVENT = {
  labels: {
    id: 'one',
    version: '0.1.0',
    app: 'portcullis',
    evidence_origin: ORIGIN,
    evidence_index: '7',
  },
  decision_id: 'evaluation-3',
  trace_id: '0af7651916cd43dd8448eb211c80319c',
  span_id: 'b7ad6b7169203331',
  bundles: { policy: { revision: 'r1' } },
  path: 'portcullis/decision',
  input: INPUT,
  result: {
    decision: false,
    outcome: 'deny',
    visible: true,
    reason_code: 'TRANSFER_LIMIT',
    constraints: {},
    obligations: [],
    rules: ['payments/transfer_limit'],
  },
  requested_by: 'guard',
  timestamp: '2027-01-01T00:00:00.000Z',
};

test('a decision is an event, its input what was recorded of the request', () => {
  expect(eventOf(RECORD)).toEqual(EVENT);
});

test('what a request says nothing of is not in the input', () => {
  const request = { subject: { id: 'user:ada' }, action: 'tools/list', phase: 'call' } as const;
  expect(eventOf({ ...RECORD, request })).toEqual({
    ...EVENT,
    trace_id: undefined,
    span_id: undefined,
    input: {
      subject: { id: 'user:ada', properties: {} },
      action: { name: 'tools/list' },
      context: { phase: 'call', request: {}, profile: 'mcp/1' },
    },
  });
});

test('arguments stand in the input where they were recorded', () => {
  const record = { ...RECORD, arguments: { amount: 7 } } as EvidenceRecord;
  const context = { ...INPUT.context, arguments: { amount: 7 } };
  expect(eventOf(record)).toEqual({ ...EVENT, input: { ...INPUT, context } });
});

test('a list is an event', () => {
  const shown = [{ type: 'tool', id: 'transfer' }];
  const catalogue_digest = `sha256:${'c'.repeat(64)}`;
  const record = { ...HEAD, kind: 'discovery', evaluation_id: 'e', catalogue_digest } as const;
  expect(eventOf({ ...record, shown, withheld: [] })).toMatchObject({
    path: 'portcullis/discovery',
    result: { catalogue_digest, shown, withheld: [] },
  });
});

test('what the policy masked or erased of a record is named', () => {
  const masked = ['/input/subject/id'];
  const record = { ...RECORD, masked, erased: ['/input/context/agent'] } as EvidenceRecord;
  expect(eventOf(record)).toEqual({ ...EVENT, masked, erased: ['/input/context/agent'] });
});

test.each(['outcome', 'activation', 'backend_error', 'start', 'stop', 'recovery'] as const)(
  'a record of kind %s is none',
  (kind) => {
    expect(opaEvent({ ...HEAD, kind }, NAMES)).toBeUndefined();
  },
);

test.each([
  '00-00000000000000000000000000000000-b7ad6b7169203331-01',
  '00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01',
  '00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01',
  'x',
])('ids of a trace that no collector takes are left out: %s', (traceparent) => {
  const record = { ...RECORD, request: { ...RECORD.request!, traceparent } };
  expect(eventOf(record)).not.toHaveProperty('trace_id');
  expect(eventOf(record)).not.toHaveProperty('span_id');
});

const servers = new Servers();
afterEach(() => servers.close());

async function openCollector(): Promise<Receiver> {
  const collector = await openReceiver();
  servers.keep({ close: collector.away });
  return collector;
}

/** What an OPA server uploads of one decision of its own. */
async function uploadedByOpa(): Promise<Posted> {
  const collector = await openCollector();
  const policy = join(servers.folder(), 'policy.rego');
  writeFileSync(policy, 'package example\n\nallow if input.subject.id == "user:ada"\n');
  const settings = [
    `services.collector.url=${collector.url}`,
    'decision_logs.service=collector',
    'decision_logs.partition_name=payments',
    'decision_logs.reporting.min_delay_seconds=1',
    'decision_logs.reporting.max_delay_seconds=1',
    'labels.app=example',
  ];
  const set = settings.flatMap((setting) => ['--set', setting]);
  const port = await freePort();
  const opa = servers.keep(opaAtPlace({ port }, ...set, policy));
  await opa.start();
  const body = JSON.stringify({ input: INPUT });
  await fetch(`http://127.0.0.1:${port}/v1/data/example/allow`, { method: 'POST', body });
  await collector.until(() => collector.taken.length > 0);
  return collector.taken[0]!;
}

describeWithOpa('beside the upload of an OPA server', () => {
  test('ours is one request alike, and each member is one of its own', async () => {
    const theirs = await uploadedByOpa();
    const collector = await openCollector();
    const receiver = openHttp({ ...PLAIN, url: collector.url });
    const clock = { now_ms: () => 0 };
    const driver = opaDecisionLog({ ...NAMES, receiver, partition: 'payments', clock });
    await driver.deliver([String(driver.format(RECORD))], new AbortController().signal);
    await driver.close();
    const ours = collector.taken[0]!;
    expect(ours.path).toBe(theirs.path);
    for (const name of ['content-type', 'content-encoding'] as const) {
      expect([name, ours.headers[name]]).toEqual([name, theirs.headers[name]]);
    }
    const [their_event] = theirs.body as [Record<string, unknown>];
    const [our_event] = ours.body as [Record<string, unknown>];
    const typesOf = (event: object) =>
      Object.fromEntries(Object.entries(event).map(([name, value]) => [name, typeof value]));
    const their_types = typesOf(their_event);
    // It has no trace, no bundle and no known caller here, and its result is any value.
    const { trace_id, span_id, bundles, requested_by, result, ...our_types } = typesOf(our_event);
    expect(our_types).toEqual(
      Object.fromEntries(Object.keys(our_types).map((name) => [name, their_types[name]])),
    );
    expect([trace_id, span_id, bundles, requested_by]).toEqual([
      'string',
      'string',
      'object',
      'string',
    ]);
    expect([result, their_types.result]).toEqual(['object', 'boolean']);
    expect(Object.keys(our_event.labels as object)).toEqual(
      expect.arrayContaining(Object.keys(their_event.labels as object)),
    );
  }, 60_000);
});
