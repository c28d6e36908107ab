import { expect, test } from '@jest/globals';
import { childEnvironment } from '../../../src/gateway/stdio/environment.ts';

const VARIABLES = {
  PATH: '/bin',
  HOME: '/nowhere',
  LANG: 'C',
  GITHUB_TOKEN: 'ghp',
  AWS_SECRET_ACCESS_KEY: 'aws',
  NODE_OPTIONS: '--require evil.js',
  LD_PRELOAD: 'evil.so',
  PORTCULLIS_DECISION_POINT_URL: 'http://127.0.0.1:1',
};

test('a server is given what programs need, and what is named', () => {
  const usual = { PATH: '/bin', HOME: '/nowhere', LANG: 'C' };
  expect(childEnvironment(VARIABLES, [])).toEqual(usual);
  const named = childEnvironment(VARIABLES, ['GITHUB_TOKEN', 'PATH']);
  expect(named).toEqual({ ...usual, GITHUB_TOKEN: 'ghp' });
});

test.each([
  ['PORTCULLIS_DECISION_POINT_URL', 'is not given to a server'],
  ['portcullis_state', 'is not given to a server'],
  ['NO_SUCH_VARIABLE', 'is not set'],
])('%s cannot be named', (name, fault) => {
  expect(() => childEnvironment(VARIABLES, [name])).toThrow(
    expect.objectContaining({
      code: 'CONFIGURATION_INVALID',
      message: expect.stringContaining(fault),
      pointer: '/wrap/env',
    }),
  );
});
