/** Who acts for a subject must be the one whom its token names (RFC 8693, section 4.4). */
import { expect, test } from '@jest/globals';
import { fromAuthInfo } from '../../../src/identity/auth_info/source.ts';
import { authInfoOf } from '../shared_suite.ts';

const ISSUER = 'https://login.example.com';

function found(claims: object, told: string[] = []) {
  const authInfo = authInfoOf({ sub: 'alice', iss: ISSUER, ...claims });
  return fromAuthInfo()({ authInfo }, (reason) => told.push(reason));
}

test.each<[string, object, object]>([
  ['by its subject', { sub: 'planner' }, { sub: 'planner' }],
  ['with the actors before it', { sub: 'planner', act: { sub: 'runner' } }, { sub: 'planner' }],
  ['with its issuer', { sub: 'planner' }, { sub: 'planner', iss: ISSUER }],
  ['by more than its subject', { sub: 'p', client_id: 'c' }, { sub: 'p', client_id: 'c' }],
])('an actor that `may_act` names %s acts', (_what, act, may_act) => {
  expect(found({ act, may_act })?.subject.properties?.delegation?.[0]).toEqual({
    id: (act as { sub: string }).sub,
  });
});

test('where nobody acts, it is the subject that `may_act` speaks of', () => {
  expect(found({ may_act: { sub: 'planner' } })?.subject.id).toBe('user:alice');
});

test.each<[string, unknown, unknown]>([
  ['another actor', { sub: 'planner' }, { sub: 'runner' }],
  ['it at another issuer', { sub: 'p' }, { sub: 'p', iss: 'https://other.example.com' }],
  ['it by more than it says', { sub: 'planner' }, { sub: 'planner', client_id: 'cid-9' }],
  ['nobody', { sub: 'planner' }, {}],
  ['it by what is no text', { sub: 'planner' }, { sub: ['planner'] }],
  ['one that acted before', { sub: 'runner', act: { sub: 'planner' } }, { sub: 'planner' }],
])('nobody is proved where `may_act` names %s', (_what, act, may_act) => {
  const told: string[] = [];
  expect(found({ act, may_act }, told)).toBeUndefined();
  expect(told).toEqual(['the claim `may_act` names another actor']);
});

test.each([['text'], [['planner']], [null], [7]])('a `may_act` of %j proves nobody', (may_act) => {
  const told: string[] = [];
  expect(found({ act: { sub: 'planner' }, may_act }, told)).toBeUndefined();
  expect(told).toEqual(['the claim `may_act` is no object']);
});
