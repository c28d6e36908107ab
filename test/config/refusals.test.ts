import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { type Given, HOME, load, refusal } from '../support/configuration.ts';

describe('a file that is not strict YAML is refused with line and column', () => {
  test.each<[string, string, string]>([
    [
      'a doubled name',
      'log:\n  level: info\n  level: debug\n',
      'duplicate key (portcullis.yaml:3:3)',
    ],
    ['a tab', 'log:\n\tlevel: info\n', 'tab as indent (portcullis.yaml:2:1)'],
    ['an open bracket', 'pdp: {hosts: [a\n', 'bad indent (portcullis.yaml:2:1)'],
    ['two documents', 'state: a\n---\nstate: b\n', 'multiple docs (portcullis.yaml:2:1)'],
    ['a tag', 'state: !!binary aGk=\n', 'tag resolve failed (portcullis.yaml:1:8)'],
  ])('%s', (_name, yaml, fault) => {
    expect(refusal({ yaml }).message).toBe(`the configuration is not strict YAML: ${fault}`);
  });

  test.each<[string, string, string]>([
    ['an alias without anchor', 'state: *a\n', 'has an alias that leads nowhere, or too many'],
    ['a bomb of aliases', bomb(), 'has an alias that leads nowhere, or too many'],
    ['too large', `# ${'x'.repeat(1_048_576)}\n`, 'is larger than 1048576 bytes'],
  ])('%s', (_name, yaml, fault) => {
    expect(refusal({ yaml }).message).toBe(`\`portcullis.yaml\` ${fault}`);
  });

  test('too deep', () => {
    const { message } = refusal({ yaml: '['.repeat(200_000) });
    expect(message).toMatch(/^the configuration is not strict YAML: resource exhaustion \(port/);
  });

  test('not UTF-8', () => {
    const config = join(HOME, 'latin1.yaml');
    writeFileSync(config, Buffer.from('state: caf\xe9\n', 'latin1'));
    expect(refusal({ config }).message).toBe(`\`${config}\` is not UTF-8`);
  });
});

function bomb(): string {
  const levels = Array.from({ length: 9 }, (_, at) => {
    const below = at === 0 ? 'x' : `*a${at - 1}`;
    return `a${at}: &a${at} [${Array(9).fill(below).join(', ')}]`;
  });
  return `${levels.join('\n')}\n`;
}

describe('[O-04] an unknown setting is refused with its place and the likely one', () => {
  test.each<[Given, string]>([
    [
      { yaml: 'log: {level: info}\npdp:\n  lisen: x\n' },
      'the setting `pdp.lisen` (portcullis.yaml:3:3) is unknown; did you mean `pdp.listen`',
    ],
    [
      { yaml: 'linger_us_max: 1\n' },
      'the setting `linger_us_max` (portcullis.yaml:1:1) is unknown; ' +
        'did you mean `evidence.linger_us_max`',
    ],
    [{ yaml: 'colour: x\n' }, 'the setting `colour` (portcullis.yaml:1:1) is unknown'],
    [{ yaml: '__proto__: {}\n' }, 'the setting `__proto__` (portcullis.yaml:1:1) is unknown'],
    [{ yaml: 'constructor: {}\n' }, 'the setting `constructor` (portcullis.yaml:1:1) is unknown'],
    [{ yaml: '1: x\n' }, 'the setting `1` (portcullis.yaml:1:1) is unknown'],
    [{ yaml: '"a\\nb`c": x\n' }, "the setting `a\\nb'c` (portcullis.yaml:1:1) is unknown"],
    [
      { overrides: { evidence: { dir: 'x' } } },
      'the setting `evidence.dir` (the command line) is unknown',
    ],
  ])('%j', (given, message) => {
    expect(refusal(given).message).toBe(message);
  });

  test('through an alias the place is where the name stands', () => {
    const yaml = 'guard:\n  agent: &a {id: x}\n  subject: *a\n  environment: *a\n';
    expect(refusal({ yaml }).message).toBe(
      'the setting `guard.environment.id` (portcullis.yaml:2:14) is unknown',
    );
  });
});

describe('a malformed value is refused with its place and what it must be', () => {
  test.each<[Given, string]>([
    [{ yaml: 'pdp: []\n' }, '`pdp` (portcullis.yaml:1:1) must hold settings by name'],
    [{ yaml: 'pdp:\n' }, '`pdp` (portcullis.yaml:1:1) must hold settings by name'],
    [{ yaml: '[a]\n' }, 'the configuration (portcullis.yaml:1:1) must hold settings by name'],
    [
      { yaml: 'log:\n  level: loud\n' },
      '`log.level` (portcullis.yaml:2:3) must be one of `error`, `warn`, `info`, `debug`',
    ],
    [{ yaml: 'state: null\n' }, '`state` (portcullis.yaml:1:1) must be a path'],
    [{ yaml: 'state: ""\n' }, '`state` (portcullis.yaml:1:1) must be a path'],
    [
      { yaml: 'policy: {unsafe_allow_all: yes}\n' },
      '`policy.unsafe_allow_all` (portcullis.yaml:1:10) must be true or false',
    ],
    [
      { yaml: 'guard: {subject: {groups: [a, 7]}}\n' },
      '`guard.subject.groups` (portcullis.yaml:1:19) must be a list of up to 20000 texts',
    ],
    [
      { yaml: 'pdp: {listen: "[::1]:65536"}\n' },
      '`pdp.listen` (portcullis.yaml:1:7) must be a text of 1 to 262 characters such as ' +
        '`127.0.0.1:8181` or null',
    ],
    [
      { variables: { HOME, PORTCULLIS_PDP_BODY_BYTES_MAX: '1e6' } },
      '`pdp.body_bytes_max` (PORTCULLIS_PDP_BODY_BYTES_MAX) must be an integer from 1024 to ' +
        '67108864 bytes',
    ],
    [
      { variables: { HOME, PORTCULLIS_GUARD_SUBJECT_ACTOR_TYPE: 'robot' } },
      '`guard.subject.actor_type` (PORTCULLIS_GUARD_SUBJECT_ACTOR_TYPE) must be one of `human`, ' +
        '`supervised_ai`, `automation`, `service_account` or null',
    ],
  ])('%j', (given, message) => {
    expect(refusal(given).message).toBe(message);
  });

  test.each(['127.0.0.1:8181', '[::1]:0', 'localhost:65535', null])(
    'listen %j is fine',
    (listen) => {
      expect(load({ overrides: { pdp: { listen } } }).pdp.listen).toBe(listen);
    },
  );

  test.each(['http://a', 'https://a.example:8181', 'http://[::1]:8181/'])(
    'url %j is fine',
    (url) => {
      expect(load({ overrides: { decision_point: { url } } }).decision_point.url).toBe(url);
    },
  );

  test.each([
    'a',
    'ftp://a',
    'http://',
    'http://user:secret@a',
    'http://a?b',
    'http://a/ b',
    'http://a/gate',
  ])('url %j is refused, and not told', (url) => {
    const { message } = refusal({ overrides: { decision_point: { url } } });
    expect(message).toBe(
      '`decision_point.url` (the command line) must be a text of 1 to 2048 characters such as ' +
        '`http://127.0.0.1:8181` or null',
    );
  });
});
