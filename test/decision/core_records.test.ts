/** What the core records where nobody decides, and how the records of a batch become durable. */
import { setImmediate } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { PortcullisError } from '../../src/errors.ts';
import { CALLER, callOf, codeOf } from '../support/decisions.ts';
import { onePolicy, plainCore, plainPolicy } from './plain_core.ts';
import { WAYS } from './ways.ts';

const AWAY = new PortcullisError('BACKEND_UNREACHABLE', 'the policy server is away');
const away = plainPolicy('r1', {
  evaluate: () => Promise.reject(AWAY),
  list: () => Promise.reject(AWAY),
});

test('where nobody is there to decide, a call has no decision, and a record of that', async () => {
  const { core, entries } = plainCore(onePolicy(away));
  expect(await codeOf(core.evaluation(callOf(), CALLER))).toBe('BACKEND_UNREACHABLE');
  expect(entries).toMatchObject([
    {
      kind: 'backend_error',
      evaluation_id: 'id-1',
      caller: 'guard',
      policy: { revision: 'r1' },
      profile: 'mcp/1',
      request: { subject: { id: 'user:alice@example.com' }, resource: { id: 'transfer' } },
      detail: 'the policy server is away',
    },
  ]);
});

const ALONE = WAYS.filter(
  ({ what }) => !['an entry of a batch', 'what a batch shares'].includes(what),
);

test.each(ALONE)('nor has $what', async ({ ask }) => {
  const { core, entries } = plainCore(onePolicy(away));
  expect(await codeOf(ask(core, {}, CALLER))).toBe('BACKEND_UNREACHABLE');
  expect(entries.map(({ kind }) => kind)).toEqual(['backend_error']);
});

test('what is too large to be decided leaves no record of a server that was away', async () => {
  const error = new PortcullisError('REQUEST_TOO_LARGE', 'the input is too large');
  const refusing = plainPolicy('r1', { evaluate: () => Promise.reject(error) });
  const { core, entries } = plainCore(onePolicy(refusing));
  expect(await codeOf(core.evaluation(callOf(), CALLER))).toBe('REQUEST_TOO_LARGE');
  expect(entries).toEqual([]);
});

test('the records of a batch become durable a hundred at a time', async () => {
  const groups: number[] = [];
  let waiting = 0;
  const { core } = plainCore(onePolicy(plainPolicy('r1')), async () => {
    waiting += 1;
    await setImmediate();
    if (waiting > 0) groups.push(waiting);
    waiting = 0;
  });
  const { subject, action, resource } = callOf();
  const evaluations = Array.from({ length: 250 }, () => ({}));
  await core.evaluations({ subject, action, resource, evaluations }, CALLER);
  expect(groups).toEqual([100, 100, 50]);
});
