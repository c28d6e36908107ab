/** Settings that cannot stand together stop the start, and those that just can do not. */
import { describe, expect, test } from '@jest/globals';
import { CONTRADICTIONS } from '../../src/config/contradictions.ts';
import { putAt } from '../../src/config/source.ts';
import { HOME, load, refusal } from '../support/configuration.ts';

/** A complete check of tokens. */
const ISSUER = {
  'guard.identity.jwt.issuer': 'https://a',
  'guard.identity.jwt.jwks_url': 'https://a/jwks',
  'guard.identity.resource.url': 'https://m',
};

/**
 * Settings by name, in the order of the table: what contradicts, and what is next to it; some need
 * others beside them, so that no other row is the first.
 */
type Settings = Record<string, unknown>;
const PAIRS: [bad: Settings, fine: Settings, beside?: Settings][] = [
  [
    { 'decision_point.socket': 's', 'decision_point.url': 'http://a' },
    { 'decision_point.socket': 's', 'decision_point.url': null },
  ],
  [
    { 'decision_point.socket': 's', 'decision_point.embedded': true },
    { 'decision_point.socket': 's', 'decision_point.embedded': false },
  ],
  [
    { 'decision_point.url': 'http://a', 'decision_point.embedded': true },
    { 'decision_point.url': 'http://a', 'decision_point.embedded': false },
  ],
  [
    { 'decision_point.token_file': '/t', 'pdp.token_file': '/t' },
    { 'decision_point.token_file': '/t', 'pdp.token_file': '/h' },
  ],
  [
    { 'pdp.tls.cert_file': 'c', 'pdp.tls.key_file': null },
    { 'pdp.tls.cert_file': 'c', 'pdp.tls.key_file': 'k' },
  ],
  [
    { 'pdp.tls.client_ca_file': 'a', 'pdp.tls.cert_file': null },
    { 'pdp.tls.client_ca_file': null, 'pdp.tls.cert_file': null },
  ],
  [
    { 'pdp.tls.callers_file': 'c', 'pdp.tls.client_ca_file': null },
    { 'pdp.tls.callers_file': null, 'pdp.tls.client_ca_file': null },
  ],
  [
    { 'decision_point.cert_file': 'c', 'decision_point.key_file': null },
    { 'decision_point.cert_file': 'c', 'decision_point.key_file': 'k' },
  ],
  [
    { 'decision_point.embedded': true, 'policy.bundle': null },
    { 'decision_point.embedded': true, 'policy.bundle': 'b' },
  ],
  [
    { 'policy.backend': 'static_rbac', 'policy.rbac_file': null },
    { 'policy.backend': 'static_rbac', 'policy.rbac_file': 'f' },
  ],
  [
    { 'policy.tenants': 't', 'policy.bundle': 'b' },
    { 'policy.tenants': 't', 'policy.bundle': null },
  ],
  [
    { 'policy.tenants': 't', 'policy.backend': 'authzen' },
    { 'policy.tenants': 't', 'policy.backend': 'wasm' },
  ],
  [
    { 'policy.backend': 'authzen', 'policy.remote.url': null },
    { 'policy.backend': 'authzen', 'policy.remote.url': 'https://a' },
  ],
  [
    { 'policy.remote.socket': 's', 'policy.remote.url': 'https://a' },
    { 'policy.remote.socket': 's', 'policy.remote.url': null },
  ],
  [
    { 'policy.backend': 'opa', 'policy.remote.path': null },
    { 'policy.backend': 'opa', 'policy.remote.path': 'a/b' },
    { 'policy.remote.url': 'https://a' },
  ],
  [
    { 'policy.remote.socket': 's', 'policy.remote.path': null },
    { 'policy.remote.socket': 's', 'policy.remote.path': '/a' },
    { 'policy.backend': 'authzen' },
  ],
  [
    { 'policy.remote.discovery_path': '/a', 'policy.remote.path': null },
    { 'policy.remote.discovery_path': '/a', 'policy.remote.path': '/b' },
  ],
  [
    { 'policy.remote.cert_file': 'c', 'policy.remote.key_file': null },
    { 'policy.remote.cert_file': 'c', 'policy.remote.key_file': 'k' },
    { 'policy.remote.url': 'https://a' },
  ],
  [
    { 'policy.remote.ca_file': 'c', 'policy.remote.url': 'http://127.0.0.1' },
    { 'policy.remote.ca_file': 'c', 'policy.remote.url': 'https://127.0.0.1' },
  ],
  [
    { 'policy.remote.cert_file': 'c', 'policy.remote.url': 'http://127.0.0.1' },
    { 'policy.remote.cert_file': 'c', 'policy.remote.url': 'https://127.0.0.1' },
    { 'policy.remote.key_file': 'k' },
  ],
  [
    { 'policy.remote.poll_interval_ms': 1000, 'policy.remote.silence_ms_max': 1000 },
    { 'policy.remote.poll_interval_ms': 999, 'policy.remote.silence_ms_max': 1000 },
  ],
  [
    { 'policy.data': 'd', 'policy.bundle': null },
    { 'policy.data': 'd', 'policy.bundle': 'b' },
  ],
  [
    { 'policy.reload_interval_ms': 1000, 'policy.age_seconds_max': 1 },
    { 'policy.reload_interval_ms': 999, 'policy.age_seconds_max': 1 },
  ],
  [
    { 'evidence.record_bytes_max': 65_537, 'evidence.segment_bytes_max': 65_536 },
    { 'evidence.record_bytes_max': 65_536, 'evidence.segment_bytes_max': 65_536 },
  ],
  [
    { 'policy.archive_bytes_max': 1025, 'policy.unpacked_bytes_max': 1024 },
    { 'policy.archive_bytes_max': 1024, 'policy.unpacked_bytes_max': 1024 },
  ],
  [
    { 'policy.evaluation.input_bytes_max': 1_048_577, 'policy.evaluation.memory_pages_max': 16 },
    { 'policy.evaluation.input_bytes_max': 1_048_576, 'policy.evaluation.memory_pages_max': 16 },
  ],
  [
    { 'guard.arguments_bytes_max': 1024, 'policy.evaluation.input_bytes_max': 1024 },
    { 'guard.arguments_bytes_max': 1024, 'policy.evaluation.input_bytes_max': 1025 },
  ],
  [
    { 'guard.arguments_bytes_max': 1024, 'pdp.body_bytes_max': 1024 },
    { 'guard.arguments_bytes_max': 1024, 'pdp.body_bytes_max': 1025 },
  ],
  [
    { 'guard.catalogue_items_max': 2, 'pdp.batch_items_max': 1 },
    { 'guard.catalogue_items_max': 2, 'pdp.batch_items_max': 2 },
  ],
  [
    { 'evidence.linger_us_max': 1000, 'decision_point.timeout_ms': 1 },
    { 'evidence.linger_us_max': 999, 'decision_point.timeout_ms': 1 },
  ],
  [
    { 'policy.remote.timeout_ms': 500, 'decision_point.timeout_ms': 1000 },
    { 'policy.remote.timeout_ms': 499, 'decision_point.timeout_ms': 1000 },
    { 'policy.backend': 'authzen', 'policy.remote.url': 'https://a' },
  ],
  [
    { 'guard.identity.jwt.issuer': 'https://a', 'guard.identity.resource.url': null },
    { ...ISSUER, 'guard.identity.resource.url': 'https://m' },
  ],
  [
    { 'guard.identity.jwt.jwks_url': 'https://a', 'guard.identity.jwt.jwks_file': '/k' },
    { ...ISSUER, 'guard.identity.jwt.jwks_url': null, 'guard.identity.jwt.jwks_file': '/k' },
  ],
  [
    { 'guard.identity.jwt.issuer': null, 'guard.identity.jwt.jwks_url': 'https://a' },
    { 'guard.identity.jwt.issuer': null, 'guard.identity.jwt.jwks_url': null },
  ],
  [
    { 'guard.identity.jwt.revoked_file': '/r', 'guard.identity.jwt.issuer': null },
    { ...ISSUER, 'guard.identity.jwt.revoked_file': '/r' },
  ],
  [
    {
      'guard.identity.jwt.jwks_fresh_seconds_max': 61,
      'guard.identity.jwt.jwks_age_seconds_max': 60,
    },
    {
      'guard.identity.jwt.jwks_fresh_seconds_max': 60,
      'guard.identity.jwt.jwks_age_seconds_max': 60,
    },
  ],
  [
    {
      'guard.identity.jwt.jwks_cooldown_ms': 600_000,
      'guard.identity.jwt.jwks_age_seconds_max': 600,
    },
    {
      'guard.identity.jwt.jwks_cooldown_ms': 599_999,
      'guard.identity.jwt.jwks_age_seconds_max': 600,
    },
  ],
  ...exportPairs(),
];

/** Rows on one list: test/config/exports.test.ts tries more of each. */
function exportPairs(): [bad: Settings, fine: Settings][] {
  const url = 'https://collector.example';
  const otel = { name: 'one', type: 'otel_logs', url };
  const lines = { name: 'one', type: 'jsonl' };
  const two = { ...lines, name: 'two' };
  const pairs: [bad: object[], fine: object[]][] = [
    [
      [lines, lines],
      [lines, two],
    ],
    [[{ ...otel, url: null }], [otel]],
    [[{ ...lines, url }], [lines]],
    [[{ ...otel, path: '/t' }], [{ ...lines, path: '/t' }]],
    [[{ ...otel, partition: 'a' }], [{ ...otel, type: 'opa_decision_log', partition: 'a' }]],
    [[{ ...otel, url: 'http://127.0.0.1', ca_file: '/t' }], [{ ...otel, ca_file: '/t' }]],
    [
      [
        { ...lines, path: '/t' },
        { ...two, path: '/t' },
      ],
      [
        { ...lines, path: '/t' },
        { ...two, path: '/u' },
      ],
    ],
    [[{ ...lines, retry_interval_ms: 60_001 }], [{ ...lines, retry_interval_ms: 60_000 }]],
  ];
  return pairs.map(([bad, fine]) => [{ 'evidence.exports': bad }, { 'evidence.exports': fine }]);
}

/** Limits that bind a guard and who decides bind where both are one process. */
const EMBEDDED = { 'decision_point.embedded': true, 'policy.bundle': 'b' };
const FIRST = PAIRS.findIndex(([bad]) => 'guard.arguments_bytes_max' in bad);
const IN_ONE_PROCESS = PAIRS.slice(FIRST, FIRST + 5);

function settings(named: Record<string, unknown>): object {
  const group = {};
  for (const [name, value] of Object.entries(named)) putAt(group, name.split('.'), value);
  return group;
}

describe.each(
  PAIRS.map(([bad, fine, beside], at) => [CONTRADICTIONS[at]!, bad, fine, beside] as const),
)('$names', ({ names, fault }, bad, fine, beside) => {
  const isOne = IN_ONE_PROCESS.some(([known]) => known === bad);
  const around = { ...(isOne && EMBEDDED), ...beside };

  test('[O-04] settings that contradict each other stop the start, both named', () => {
    const { message, pointer } = refusal({ overrides: settings({ ...around, ...bad }) });
    const both = names.map((name) => `\`${name}\``).join(' and ');
    expect(message.replaceAll(/ \((the command line|its default)\)/g, '')).toBe(`${both} ${fault}`);
    expect(pointer).toBe(`/${names[0]!.replaceAll('.', '/')}`);
  });

  test('what is just consistent is taken', () => {
    const overrides = settings({ ...around, ...fine });
    expect(Object.keys(load({ overrides }))).toContain('guard');
  });
});

test('each contradiction is tried, under its own names', () => {
  expect(PAIRS.map(([bad]) => Object.keys(bad))).toEqual(CONTRADICTIONS.map(({ names }) => names));
});

test('a guard is not held to the limits of a policy that decides elsewhere', () => {
  for (const [bad] of IN_ONE_PROCESS) {
    const overrides = settings({ ...bad, 'decision_point.socket': 's' });
    expect(load({ overrides }).decision_point.embedded).toBe(false);
  }
});

test('who decides by another backend needs no bundle', () => {
  const named = {
    'decision_point.embedded': true,
    'policy.backend': 'static_rbac',
    'policy.rbac_file': 'f',
  };
  expect(load({ overrides: settings(named) }).policy.bundle).toBe(null);
});

test('the message tells where each of the two was given, or that it is a default', () => {
  const yaml = 'policy:\n  age_seconds_max: 1\n  reload_interval_ms: 1000\n';
  expect(refusal({ yaml }).message).toBe(
    '`policy.reload_interval_ms` (portcullis.yaml:3:3) and `policy.age_seconds_max` ' +
      '(portcullis.yaml:2:3) contradict: a policy would be too old before it is read again',
  );
  expect(refusal({ variables: { HOME, PORTCULLIS_POLICY_DATA: 'd' } }).message).toBe(
    '`policy.data` (PORTCULLIS_POLICY_DATA) and `policy.bundle` (its default) ' +
      'must be given together',
  );
  expect(refusal({ overrides: { evidence: { segment_bytes_max: 65_536 } } }).message).toBe(
    '`evidence.record_bytes_max` (its default) and `evidence.segment_bytes_max` ' +
      '(the command line) contradict: a file must be able to hold a record',
  );
});
