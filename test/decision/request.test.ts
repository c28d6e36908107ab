import { describe, expect, test } from '@jest/globals';
import { completeInput, discoveryInput, readEvaluation } from '../../src/decision/request.ts';
import { PortcullisError } from '../../src/errors.ts';
import { CALLER, callOf, NOW, STRANGER } from '../support/decisions.ts';

function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const member of Object.values(value)) frozen(member);
    Object.freeze(value);
  }
  return value;
}

function complete(body: unknown, caller = CALLER): unknown {
  return completeInput(readEvaluation(frozen(body)), { caller, time: NOW });
}

function faultOf(body: unknown): string {
  try {
    readEvaluation(body);
    return 'taken';
  } catch (error) {
    if (error instanceof PortcullisError) return `${error.code} ${error.pointer}`;
    throw error;
  }
}

/** What the decision point says itself. */
const FILLED = { time: NOW, caller: { id: 'guard', channel: 'embedded' } };
const STRANGE = { time: NOW, caller: { id: 'stranger', channel: 'embedded' } };

const PLAIN = {
  subject: { type: 'user', id: 'alice', properties: { role: 'admin' }, extra: 1 },
  action: { name: 'can_read' },
  resource: { type: 'todo', id: '1' },
};

describe('what is a request', () => {
  test.each<[string, unknown, string]>([
    ['no object', [], 'REQUEST_INVALID '],
    ['a plain one without a subject', { ...PLAIN, subject: undefined }, 'REQUEST_INVALID /subject'],
    [
      'a plain one with an id of a wrong type',
      { ...PLAIN, resource: { type: 'a', id: 1 } },
      'REQUEST_INVALID /resource/id',
    ],
    ['a plain one with unknown members', { ...PLAIN, extra: 1 }, 'taken'],
    ['a profiled one', callOf(), 'taken'],
    ['a profiled one with an unknown member', { ...callOf(), extra: 1 }, 'REQUEST_INVALID /extra'],
    [
      'a profiled one of an unknown phase',
      callOf({ phase: 'later' as 'call' }),
      'REQUEST_INVALID /context/phase',
    ],
    [
      'a profiled one without a server',
      { ...callOf(), resource: { type: 'tool', id: 'a' } },
      'REQUEST_INVALID /resource/properties',
    ],
    ['a profile of another version is plain', { ...PLAIN, context: { profile: 'mcp/2' } }, 'taken'],
  ])('%s', (_title, body, fault) => {
    expect(faultOf(body)).toBe(fault);
  });
});

describe('what a policy sees', () => {
  test('a profiled request is completed by the time', () => {
    const call = callOf({ arguments: { amount: 5 } });
    expect(complete(call)).toStrictEqual({ ...call, context: { ...call.context, ...FILLED } });
  });

  test('what a caller may not attest is taken out, and nothing put in its place', () => {
    const kept = (properties?: object): unknown => {
      const subject = { type: 'user', id: 'alice', ...(properties && { properties }) };
      return complete({ ...PLAIN, subject }, STRANGER);
    };
    const told = (properties?: object): object => ({
      subject: { type: 'user', id: 'alice', ...(properties && { properties }) },
      action: PLAIN.action,
      resource: PLAIN.resource,
      context: { phase: 'call', ...STRANGE },
    });
    expect(kept()).toStrictEqual(told());
    expect(kept({ role: 'admin' })).toStrictEqual(told({ role: 'admin' }));
    expect(kept({ delegation: [{ id: 'a', actor_type: 'human' }] })).toStrictEqual(
      told({ delegation: [{ id: 'a' }] }),
    );
    expect(kept({ delegation: 'a' })).toStrictEqual(told({ delegation: 'a' }));
    const context = { claimed: { actor_type: 'human' }, phase: 'call', ...STRANGE };
    expect(kept({ actor_type: 'human', role: 'admin' })).toStrictEqual({
      ...told({ role: 'admin' }),
      context,
    });
  });

  test('a plain request is a call by the agent that COAZ names', () => {
    expect(complete({ ...PLAIN, context: { agent: 'cid-1', other: [1] }, options: {} })).toEqual({
      ...PLAIN,
      context: { agent: { id: 'cid-1', verified: true }, other: [1], phase: 'call', ...FILLED },
    });
  });

  test('a time and an approval that came along are not facts', () => {
    const approval = { granted_rules: ['payments/manager_approval'] };
    const claimed = { region: 'eu' };
    const call = callOf({ time: '1999-01-01T00:00:00Z', approval, claimed });
    expect(complete(call)).toEqual({
      ...call,
      context: { ...callOf().context, claimed: { region: 'eu', approval }, ...FILLED },
    });
  });

  test('who asks is said by the decision point, and a caller that came along is a claim', () => {
    const caller = { id: 'socket', channel: 'socket' };
    expect(complete({ ...PLAIN, context: { caller } })).toEqual({
      ...PLAIN,
      context: { phase: 'call', claimed: { caller }, ...FILLED },
    });
    const call = callOf();
    const profiled = { ...call, context: { ...call.context, caller } };
    expect(faultOf(profiled)).toBe('REQUEST_INVALID /context/caller');
    expect(complete(callOf({ claimed: { caller } }))).toMatchObject({ context: FILLED });
  });

  test('claims of a plain request that are no object are dropped for those of the caller', () => {
    const context = { claimed: 'everything', approval: true };
    expect(complete({ ...PLAIN, context })).toMatchObject({
      context: { claimed: { approval: true } },
    });
  });

  test('an actor type counts only from a caller that may attest it', () => {
    const call = callOf();
    call.subject.properties = {
      actor_type: 'human',
      groups: ['tellers'],
      delegation: [{ id: 'cid-1', actor_type: 'supervised_ai' }, { id: 'cid-2' }],
    };
    expect(complete(call)).toMatchObject({ subject: call.subject });
    expect(complete(call, STRANGER)).toEqual({
      ...call,
      subject: {
        type: 'identity',
        id: 'user:alice@example.com',
        properties: { groups: ['tellers'], delegation: [{ id: 'cid-1' }, { id: 'cid-2' }] },
      },
      context: { ...call.context, claimed: { actor_type: 'human' }, ...STRANGE },
    });
  });

  test('a delegation of a wrong type stays what it is', () => {
    const body = {
      ...PLAIN,
      subject: { ...PLAIN.subject, properties: { delegation: ['x', null] } },
    };
    expect(complete(body, STRANGER)).toMatchObject({
      subject: { properties: { delegation: ['x', null] } },
    });
  });

  test('a discovery has no arguments, and a list no item', () => {
    const call = callOf({ phase: 'discovery', arguments: { amount: 5 } });
    const input = complete(call) as ReturnType<typeof completeInput>;
    expect(input.context).toEqual({ ...callOf().context, phase: 'discovery', ...FILLED });
    const asked = complete(callOf({ arguments: { amount: 5 } })) as typeof input;
    expect(discoveryInput(asked)).toEqual({
      subject: asked.subject,
      action: asked.action,
      context: { ...callOf().context, phase: 'discovery', ...FILLED },
    });
  });
});
