import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { HOME, load, refusal } from '../support/configuration.ts';

test('without a file everything has its default, and the state stands in the home folder', () => {
  const configuration = load();
  const state = join(HOME, '.local/state/portcullis/payments/one');
  expect(configuration).toMatchObject({
    state,
    instance: 'one',
    log: { level: 'info' },
    policy: { bundle: null, data: null, age_seconds_max: 0, unsafe_allow_all: false },
    pdp: {
      listen: '127.0.0.1:8181',
      socket: join(state, 'run/pdp.sock'),
      token_file: join(state, 'token_hashes.json'),
      hosts: [],
    },
    evidence: { directory: join(state, 'evidence'), segment_bytes_max: 67_108_864 },
    decision_point: { socket: null, url: null, embedded: false, token_file: join(state, 'token') },
    guard: { server: 'payments', subject: { id: null, groups: [] } },
  });
});

test('the file is read, and its paths start at its folder', () => {
  const cwd = join(HOME, 'here');
  mkdirSync(join(HOME, 'etc'));
  const config = join(HOME, 'etc', 'gate.yaml');
  writeFileSync(config, 'state: ../state\npolicy: {bundle: /b.tar.gz, data: data.yaml}\n');
  const configuration = load({ cwd, config });
  expect(configuration).toMatchObject({
    state: join(HOME, 'state'),
    policy: { bundle: '/b.tar.gz', data: join(HOME, 'etc/data.yaml') },
    evidence: { directory: join(HOME, 'state/evidence') },
  });
  const variables = { HOME, PORTCULLIS_CONFIG: '../etc/gate.yaml' };
  expect(load({ cwd, variables })).toEqual(configuration);
});

test('an empty file is as good as none', () => {
  expect(load({ yaml: '# nothing\n' }).log).toEqual({ level: 'info' });
});

test('the command line goes before the environment, and that before the file', () => {
  const yaml =
    'log: {level: error}\npdp: {hosts: [a], body_bytes_max: 2048, listen: "0.0.0.0:1"}\n';
  const variables = { HOME, PORTCULLIS_PDP_HOSTS: 'b, c', PORTCULLIS_PDP_BODY_BYTES_MAX: '4096' };
  const overrides = { pdp: { body_bytes_max: 8192, socket: 'x.sock' } };
  const cwd = mkdtempSync(join(HOME, 'folder-'));
  writeFileSync(join(cwd, 'portcullis.yaml'), yaml);
  expect(load({ cwd, variables, overrides })).toMatchObject({
    log: { level: 'error' },
    pdp: {
      listen: '0.0.0.0:1',
      hosts: ['b', 'c'],
      body_bytes_max: 8192,
      socket: join(cwd, 'x.sock'),
    },
  });
});

test('names that are given take part in the default of the state', () => {
  const yaml = 'instance: blue\nguard: {server: ledger}\n';
  const variables = { HOME, XDG_STATE_HOME: '/var/state' };
  expect(load({ yaml, variables }).state).toBe('/var/state/portcullis/ledger/blue');
});

test('a relative XDG_STATE_HOME is ignored, and an account has a home without HOME', () => {
  const relative = load({ variables: { HOME, XDG_STATE_HOME: 'state' } });
  expect(relative.state).toBe(join(HOME, '.local/state/portcullis/payments/one'));
  const homeless = load({ variables: {} });
  expect(homeless.state).toBe(join(homedir(), '.local/state/portcullis/payments/one'));
});

test('a name that is no folder name is refused where it would be used', () => {
  const names = { server: '../evil', instance: 'one' };
  expect(refusal({ names })).toEqual({
    message:
      '`guard.server` (its default) must be a text of 1 to 128 characters such as `payments`',
    pointer: '/guard/server',
  });
  expect(load({ names, overrides: { guard: { server: 'good' } } }).guard.server).toBe('good');
});

test('the configuration is frozen to its depths, and shares nothing with what was given', () => {
  const overrides = { guard: { subject: { groups: ['tellers'] } } };
  const configuration = load({ overrides });
  expect(() => Object.assign(configuration.pdp, { listen: null })).toThrow(TypeError);
  expect(() => configuration.guard.subject.groups.push('admins')).toThrow('not extensible');
  expect(() => configuration.pdp.hosts.push('x')).toThrow('not extensible');
  overrides.guard.subject.groups.push('admins');
  expect(configuration.guard.subject.groups).toEqual(['tellers']);
});

test.each([
  ['named by --config', { config: 'absent.yaml' }],
  ['named by PORTCULLIS_CONFIG', { variables: { HOME, PORTCULLIS_CONFIG: 'absent.yaml' } }],
])('a file that is %s and cannot be read stops the start', (_name, given) => {
  expect(refusal(given).message).toBe(
    'the configuration file `absent.yaml` cannot be read (ENOENT)',
  );
});
