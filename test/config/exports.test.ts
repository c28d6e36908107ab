/** The list `evidence.exports`: groups with defaults of their own. */
import { dirname } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { type Given, HOME, load, refusal } from '../support/configuration.ts';

const OTEL = { name: 'one', type: 'otel_logs', url: 'https://collector.example' };
const LINES = { name: 'one', type: 'jsonl' };
const given = (...exports: object[]): Given => ({ overrides: { evidence: { exports } } });

test('what is left out of a group has its default, and paths are absolute', () => {
  const yaml =
    'evidence:\n  exports:\n    - name: lines\n      type: jsonl\n      path: out/lines.jsonl\n';
  const { evidence, state } = load({ yaml });
  expect(evidence.exports).toEqual([
    {
      name: 'lines',
      type: 'jsonl',
      url: null,
      partition: null,
      token_file: null,
      headers_file: null,
      ca_file: null,
      path: expect.stringMatching(/^\/.*\/folder-\w+\/out\/lines\.jsonl$/),
      file_bytes_max: 67_108_864,
      files_max: 10,
      required: false,
      lag_records_max: 100_000,
      interval_ms: 1000,
      batch_records_max: 500,
      batch_bytes_max: 1_048_576,
      timeout_ms: 10_000,
      retry_interval_ms: 500,
      retry_interval_ms_max: 60_000,
    },
  ]);
  expect(Object.isFrozen(evidence.exports[0])).toBe(true);
  expect(dirname(state)).not.toBe('');
});

test('in the environment the list is JSON', () => {
  const variables = { HOME, PORTCULLIS_EVIDENCE_EXPORTS: JSON.stringify([OTEL]) };
  expect(load({ variables }).evidence.exports).toMatchObject([OTEL]);
  for (const text of ['otel', '{}', '["otel"]', '7']) {
    const message = expect.stringMatching(/`evidence\.exports(\.0)?` \(PORTCULLIS_EVIDENCE_EXP/);
    expect(refusal({ variables: { HOME, PORTCULLIS_EVIDENCE_EXPORTS: text } })).toEqual({
      message,
      pointer: expect.stringMatching(/^\/evidence\/exports/),
    });
  }
});

describe('refused is', () => {
  test.each<[Given, string]>([
    [given({ type: 'jsonl' }), '`evidence.exports.0.name` (the command line) must be a text of '],
    [given({ ...LINES, name: 'A' }), '`evidence.exports.0.name` (the command line) must be '],
    [given({ ...LINES, name: '../x' }), '`evidence.exports.0.name` (the command line) must be '],
    [
      given({ ...LINES, type: 'kafka' }),
      '`evidence.exports.0.type` (the command line) must be one of `opa_decision_log`, ' +
        '`otel_logs`, `jsonl`',
    ],
    [
      given(LINES, { ...LINES, name: 'two', pth: 'x' }),
      'the setting `evidence.exports.1.pth` (the command line) is unknown; did you mean ' +
        '`evidence.exports.1.path`',
    ],
    [given('x' as never), '`evidence.exports.0` (the command line) must hold settings by name'],
    [
      { overrides: { evidence: { exports: {} } } },
      '`evidence.exports` (the command line) must be a list of up to 16 groups',
    ],
    [
      given(...Array.from({ length: 17 }, (_, at) => ({ ...LINES, name: `n${at}` }))),
      '`evidence.exports` (the command line) must be a list of up to 16 groups',
    ],
    [
      { yaml: 'evidence:\n  exports:\n    - {name: one, type: jsonl, files_max: 1}\n' },
      '`evidence.exports.0.files_max` (portcullis.yaml:2:3) must be an integer from 2 to 1000 ' +
        'files',
    ],
  ])('%j', (settings, message) => {
    expect(refusal(settings).message).toContain(message);
  });
});

describe('groups that contradict', () => {
  test.each<[object[], string]>([
    [[LINES, LINES], 'has two of one name'],
    [[{ ...OTEL, url: null }], 'has one without `url`'],
    [[{ name: 'one', type: 'opa_decision_log' }], 'has one without `url`'],
    [[{ ...LINES, url: OTEL.url }], 'has one of type `jsonl` with `url`'],
    [[{ ...LINES, token_file: '/t' }], 'has one of type `jsonl` with `url`'],
    [[{ ...LINES, headers_file: '/t' }], 'has one of type `jsonl` with `url`'],
    [[{ ...LINES, ca_file: '/t' }], 'has one of type `jsonl` with `url`'],
    [[{ ...OTEL, path: '/t' }], 'has one with `path` that is not of type `jsonl`'],
    [[{ ...OTEL, partition: 'a' }], 'has one with `partition` that is not of type'],
    [[{ ...OTEL, url: 'http://127.0.0.1', ca_file: '/t' }], 'has one with `ca_file` whose `url`'],
    [
      [
        { ...LINES, path: '/t' },
        { ...LINES, name: 'two', path: '/t' },
      ],
      'has two of one `path`',
    ],
    [[{ ...LINES, retry_interval_ms: 2000, retry_interval_ms_max: 1000 }], 'has one whose `retry'],
  ])('%j', (exports, fault) => {
    const { message } = refusal(given(...exports));
    expect(message).toContain(`\`evidence.exports\` (the command line) ${fault}`);
  });
});
