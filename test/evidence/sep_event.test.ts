import { readFileSync, readdirSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { SEP_ACTIONS, sepWordsOf } from '../../src/contract/sep_actions.ts';
import type { EvidenceRecord } from '../../src/contract/types.gen.ts';
import { SEP_EVENT_TYPES, sepAuditOf } from '../../src/evidence/sep_event.ts';
import { METHODS } from '../../src/pep/methods.ts';

const EXAMPLES = new URL('../contract/examples/evidence_record/valid/', import.meta.url);
const example = (name: string): EvidenceRecord =>
  JSON.parse(readFileSync(new URL(`${name}.json`, EXAMPLES), 'utf8')) as EvidenceRecord;

const TRACE = '0af7651916cd43dd8448eb211c80319c';

test('the eight kinds have these names', () => {
  expect(Object.values(SEP_EVENT_TYPES)).toEqual([
    'mcp.policy.decision',
    'mcp.policy.denial',
    'mcp.policy.approval_required',
    'mcp.policy.approval_validated',
    'mcp.policy.actor_validation_failure',
    'mcp.policy.discovery_filtering',
    'mcp.policy.capability_execution',
    'mcp.policy.external_decision_error',
  ]);
});

test('the words are those of the method table', () => {
  for (const [type, actions] of Object.entries(SEP_ACTIONS)) {
    for (const [action, method] of Object.entries(actions)) {
      const row = METHODS[method as keyof typeof METHODS] as { verb?: string };
      expect([method, row.verb]).toEqual([method, action]);
      expect(sepWordsOf(method)).toEqual({ type, action });
    }
  }
  expect(sepWordsOf('tools/explode')).toBeUndefined();
});

describe('a record as an event of the SEP', () => {
  test('of a decision has exactly the ten members, and beside them what ties it to the log', () => {
    expect(sepAuditOf(example('decision'))).toStrictEqual({
      event: {
        event_type: 'mcp.policy.decision',
        timestamp: '2026-11-20T12:00:00.123456789Z',
        server: 'payments',
        principal: 'user:alice@example.com',
        actor_type: 'human',
        capability: { type: 'tool', name: 'transfer' },
        action: 'execute',
        decision: 'require_approval',
        reason_code: 'MANAGER_APPROVAL',
        environment: { deployment: 'production' },
      },
      correlation_id: TRACE,
      policy_revision: '2026-11-20.1',
      evidence_index: 0,
      redacted: false,
    });
  });

  test('of a list is one event', () => {
    expect(sepAuditOf(example('discovery'))?.event).toStrictEqual({
      event_type: 'mcp.policy.discovery_filtering',
      timestamp: '2026-11-20T12:00:00.123456789Z',
      server: 'payments',
      principal: 'user:alice@example.com',
      actor_type: null,
      capability: { type: 'tool', name: '*' },
      action: 'list',
      decision: 'allow',
      reason_code: 'CAPABILITY_NOT_VISIBLE',
      environment: { deployment: null },
    });
  });

  test('of an outcome tells what its decision was about', () => {
    const event = sepAuditOf(example('outcome'), example('decision'));
    expect(event).toMatchObject({
      event: {
        event_type: 'mcp.policy.capability_execution',
        principal: 'user:alice@example.com',
        capability: { type: 'tool', name: 'transfer' },
        decision: 'allow',
      },
      correlation_id: TRACE,
      evidence_index: 2,
    });
    expect(sepAuditOf(example('outcome'))).toMatchObject({
      event: { principal: null },
      correlation_id: 'e1',
    });
  });

  test('whose request was redacted says so', () => {
    expect(sepAuditOf(example('decision_redacted'))).toMatchObject({
      event: { principal: null, server: null, capability: { type: null, name: null } },
      correlation_id: 'e1',
      redacted: true,
    });
    expect(sepAuditOf(example('decision_unread'))).toMatchObject({ redacted: false });
  });

  const deny = { outcome: 'deny', decision: false } as const;
  test.each<[string, EvidenceRecord, string | undefined, string | undefined]>([
    ['allow', { ...example('decision'), outcome: 'allow' }, 'mcp.policy.decision', 'allow'],
    ['deny', { ...example('decision'), ...deny }, 'mcp.policy.denial', 'deny'],
    [
      'an actor that was not proved',
      { ...example('decision'), ...deny, reason_code: 'ACTOR_VALIDATION_FAILED' },
      'mcp.policy.actor_validation_failure',
      'deny',
    ],
    [
      'a caller turned away',
      example('actor_failure'),
      'mcp.policy.actor_validation_failure',
      'deny',
    ],
    ['nobody to decide', example('backend_error'), 'mcp.policy.external_decision_error', 'deny'],
    ['an approval', example('approval'), 'mcp.policy.approval_validated', 'allow'],
    [
      'one that is asked for',
      { ...example('approval'), status: 'requested' },
      'mcp.policy.approval_required',
      'require_approval',
    ],
    [
      'one that is used',
      { ...example('approval'), status: 'consumed' },
      'mcp.policy.approval_validated',
      'allow',
    ],
    [
      'one that is refused',
      { ...example('approval'), status: 'refused' },
      'mcp.policy.denial',
      'deny',
    ],
    [
      'one that expired',
      { ...example('approval'), status: 'expired' },
      'mcp.policy.denial',
      'deny',
    ],
    [
      'a refusal by the PEP',
      { ...example('outcome'), status: 'refused' },
      'mcp.policy.denial',
      'deny',
    ],
    [
      'a failed call',
      { ...example('outcome'), status: 'failed' },
      'mcp.policy.capability_execution',
      'allow',
    ],
    ['a cancelled call', { ...example('outcome'), status: 'cancelled' }, undefined, undefined],
    [
      'a list that is undecided',
      { ...example('discovery'), detail: 'x' },
      'mcp.policy.discovery_filtering',
      'deny',
    ],
    ['an activation', example('activation'), undefined, undefined],
    ['a start', example('start'), undefined, undefined],
    ['a stop', example('stop'), undefined, undefined],
    ['a recovery', example('recovery'), undefined, undefined],
    ['a redaction', example('redaction'), undefined, undefined],
  ])('of %s', (_what, record, type, decision) => {
    const event = sepAuditOf(record)?.event;
    expect([event?.event_type, event?.decision]).toEqual([type, decision]);
  });

  test('has no other member and no argument, whatever the record holds', () => {
    for (const file of readdirSync(EXAMPLES)) {
      const told = sepAuditOf(example(file.replace('.json', '')));
      if (!told) continue;
      expect(Object.keys(told.event)).toHaveLength(10);
      expect(JSON.stringify(told)).not.toMatch(/arguments|iban|hmac/);
    }
  });

  test.each<[string, Partial<EvidenceRecord>, string, string | null]>([
    ['a decision that says nothing', { kind: 'decision' }, 'deny', null],
    [
      'a list of which nothing is withheld',
      { kind: 'discovery', withheld: [] },
      'allow',
      'ALLOWED',
    ],
    ['a list without what was withheld', { kind: 'discovery' }, 'allow', 'ALLOWED'],
    [
      'a list of which something is withheld',
      { ...example('discovery'), seals: {} },
      'allow',
      'CAPABILITY_NOT_VISIBLE',
    ],
    ['a list that was redacted', { kind: 'discovery', seals: {} }, 'allow', null],
    [
      'a list that is undecided',
      { kind: 'discovery', detail: 'x' },
      'deny',
      'POLICY_INDETERMINATE',
    ],
    ['nobody to decide', { kind: 'backend_error' }, 'deny', 'POLICY_UNAVAILABLE'],
    [
      'an approval that is asked for',
      { kind: 'approval', status: 'requested' },
      'require_approval',
      'APPROVAL_REQUIRED',
    ],
    ['one that is given', { kind: 'approval', status: 'granted' }, 'allow', 'ALLOWED'],
    [
      'one that is refused',
      { kind: 'approval', status: 'refused' },
      'deny',
      'APPROVAL_VALIDATION_FAILED',
    ],
    ...(['requested', 'granted', 'expired'] as const).map(
      (status): [string, Partial<EvidenceRecord>, string, string] => [
        `one that is ${status} for a reason`,
        { kind: 'approval', status, reason_code: 'MANAGER_APPROVAL' },
        { requested: 'require_approval', granted: 'allow', expired: 'deny' }[status],
        'MANAGER_APPROVAL',
      ],
    ),
  ])('of %s has its code', (_what, record, decision, reason_code) => {
    const { event } = sepAuditOf(record as EvidenceRecord)!;
    expect([event.decision, event.reason_code]).toEqual([decision, reason_code]);
  });

  test('of an approval in no known state there is none', () => {
    for (const status of [undefined, 'executed'] as const) {
      expect(sepAuditOf({ ...example('approval'), status } as EvidenceRecord)).toBeUndefined();
    }
  });

  test('is of the record itself, where that is no outcome', () => {
    const other = { ...example('decision'), evaluation_id: 'other', request: undefined };
    expect(sepAuditOf(example('decision'), other as unknown as EvidenceRecord)).toEqual(
      sepAuditOf(example('decision')),
    );
  });

  test('whose request is there is not redacted, though it is sealed', () => {
    const { seals } = example('decision_redacted');
    expect(seals).toHaveProperty('request');
    expect(sepAuditOf({ ...example('decision'), seals: seals! })).toMatchObject({
      redacted: false,
    });
  });

  test('has the evaluation for a correlation where the trace is none', () => {
    const { request, ...rest } = example('decision');
    for (const traceparent of [undefined, `x00-${TRACE}-00f067aa0ba902b7-01`, `00-${TRACE}`]) {
      const record = { ...rest, request: { ...request!, traceparent } } as EvidenceRecord;
      expect(sepAuditOf(record)?.correlation_id).toBe('e1');
    }
  });
});
