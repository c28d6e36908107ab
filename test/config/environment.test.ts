import { describe, expect, test } from '@jest/globals';
import { readEnvironment, variablesSource } from '../../src/config/environment.ts';

test('the environment tells what others need of it', () => {
  const variables = {
    HOME: '/people/ann',
    PATH: '/bin',
    XDG_CACHE_HOME: '/cache',
    PORTCULLIS_OPA: '/bin/opa',
    PORTCULLIS_CONFIG: 'gate.yaml',
  };
  expect(readEnvironment(variables)).toEqual({
    variables,
    config: 'gate.yaml',
    opa: '/bin/opa',
    state_home: '/people/ann/.local/state',
    cache_home: '/cache',
  });
});

test('without an argument it is the one of the process, copied and frozen', () => {
  const { variables } = readEnvironment();
  expect(variables.PATH).toBe(process.env.PATH);
  expect(variables).not.toBe(process.env);
  expect(Object.isFrozen(variables)).toBe(true);
});

test.each([
  ['PORTCULLIS_PDP_LISTN', '; did you mean `PORTCULLIS_PDP_LISTEN`'],
  ['PORTCULLIS_OPAA', '; did you mean `PORTCULLIS_OPA`'],
  ['PORTCULLIS_SOMETHING_ELSE_ENTIRELY', ''],
])('%s is refused', (name, hint) => {
  expect(() => readEnvironment({ [name]: 'x' })).toThrow(
    expect.objectContaining({
      code: 'CONFIGURATION_INVALID',
      message: `the variable \`${name}\` is no setting${hint}`,
    }),
  );
});

test.each(['PORTCULLISX', 'MY_PORTCULLIS_STATE', 'portcullis_state'])('%s is not ours', (name) => {
  expect(readEnvironment({ [name]: 'x' }).variables).toEqual({ [name]: 'x' });
});

describe('a variable is read as the type of its setting', () => {
  test.each<[string, string, unknown]>([
    ['PORTCULLIS_STATE', 'a,b', { state: 'a,b' }],
    ['PORTCULLIS_PDP_BODY_BYTES_MAX', '-12', { pdp: { body_bytes_max: -12 } }],
    ['PORTCULLIS_PDP_BODY_BYTES_MAX', '0x10', { pdp: { body_bytes_max: '0x10' } }],
    ['PORTCULLIS_PDP_BODY_BYTES_MAX', '', { pdp: { body_bytes_max: '' } }],
    ['PORTCULLIS_PDP_LISTEN', 'null', { pdp: { listen: null } }],
    ['PORTCULLIS_STATE', 'null', { state: 'null' }],
    ['PORTCULLIS_PDP_HOSTS', '', { pdp: { hosts: [] } }],
    ['PORTCULLIS_PDP_HOSTS', 'a, b,c', { pdp: { hosts: ['a', 'b', 'c'] } }],
    ['PORTCULLIS_GUARD_DENIALS_AS_ERRORS', 'true', { guard: { denials_as_errors: true } }],
    ['PORTCULLIS_GUARD_DENIALS_AS_ERRORS', 'yes', { guard: { denials_as_errors: 'yes' } }],
    ['PORTCULLIS_GUARD_SUBJECT_ACTOR_TYPE', 'null', { guard: { subject: { actor_type: null } } }],
  ])('%s=%s', (name, text, settings) => {
    expect(variablesSource({ [name]: text }, '/').settings).toEqual(settings);
  });
});
