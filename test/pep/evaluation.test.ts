/** What is read of a message for the decision point, without a connection around it. */
import { describe, expect, test } from '@jest/globals';
import {
  claimsOf,
  discoveryRequest,
  envelopeOf,
  handshakeClaims,
} from '../../src/pep/evaluation.ts';
import type { Request } from '../../src/pep/message.ts';
import { ALICE } from './support/parts.ts';

const VERSION = 'io.modelcontextprotocol/protocolVersion';
const CLIENT = 'io.modelcontextprotocol/clientInfo';
const CAPABILITIES = 'io.modelcontextprotocol/clientCapabilities';
const request = (method: string, params: object = {}): Request => ({
  kind: 'request',
  id: 1,
  method,
  params: { ...params },
});

describe('a claim', () => {
  test.each([
    [{}, {}],
    [{ protocolVersion: '', clientInfo: { name: '', version: '' } }, {}],
    [{ protocolVersion: 1, clientInfo: 'c' }, {}],
    [
      { protocolVersion: 'v'.repeat(33), clientInfo: { name: 'c', version: '1' } },
      { protocol_version: 'v'.repeat(32), name: 'c', version: '1' },
    ],
  ])('of a handshake %j is read as %j', (params, claims) => {
    expect(handshakeClaims(request('initialize', params))).toStrictEqual(claims);
  });

  test('of a message stands over that of its handshake, where it says something', () => {
    const handshake = { protocol_version: 'a', name: 'b', version: 'c' };
    const said = (_meta: object) => claimsOf(request('ping', { _meta }), handshake);
    expect(said({ [VERSION]: '', [CLIENT]: { name: '' } })).toStrictEqual(handshake);
    expect(said({ [VERSION]: 'x', [CLIENT]: { name: 'y' } })).toStrictEqual({
      protocol_version: 'x',
      name: 'y',
      version: 'c',
    });
  });
});

test('the envelope of a question of its own names a client only where there is one', () => {
  const bare = { [VERSION]: 'v', [CAPABILITIES]: {} };
  expect(envelopeOf(request('ping'))).toBeUndefined();
  expect(envelopeOf(request('ping', { _meta: { [VERSION]: 'v' } }))).toStrictEqual(bare);
  const named = { [VERSION]: 'v', [CLIENT]: { name: 'c' } };
  expect(envelopeOf(request('ping', { _meta: named }))).toStrictEqual({
    ...bare,
    [CLIENT]: { name: 'c' },
  });
});

test.each([
  ['tools/list', 'list'],
  ['resources/read', 'read'],
  ['initialize', 'list'],
  ['unheard', 'list'],
])('what %s shows is asked for as a %s', (method, verb) => {
  const asker = { trusted: ALICE, request: request(method), claims: {}, extra: undefined };
  expect(discoveryRequest(asker, [], 'd').action).toEqual({ name: method, properties: { verb } });
});
