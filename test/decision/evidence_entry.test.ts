import { describe, expect, test } from '@jest/globals';
import {
  backendErrorEntry,
  decisionEntry,
  discoveryEntry,
  recordedRequest,
  type RecordedList,
  type RecordHead,
} from '../../src/decision/evidence_entry.ts';
import { indeterminate, plainVerdict } from '../../src/decision/verdict.ts';
import { CALLER } from '../support/decisions.ts';
import { expectRecordable, plainPolicy } from './plain_core.ts';

const DIGEST = `sha256:${'0a'.repeat(32)}`;
const HEAD: RecordHead = {
  evaluation_id: 'id-1',
  caller: CALLER,
  profile: 'authzen',
  policy: plainPolicy('r1'),
};

describe('the record of a decision', () => {
  test('holds no more than was decided', () => {
    const entry = decisionEntry(HEAD, {}, indeterminate('it is no request'));
    expectRecordable(entry);
    expect(entry).toStrictEqual({
      kind: 'decision',
      evaluation_id: 'id-1',
      caller: 'guard',
      policy: HEAD.policy?.identity,
      profile: 'authzen',
      decision: false,
      outcome: 'deny',
      visible: false,
      reason_code: 'POLICY_INDETERMINATE',
      constraints: {},
      obligations: [],
      rules: [],
      detail: 'it is no request',
    });
  });

  test('names each type of duty once', () => {
    const log = { type: 'log', level: 'info' } as const;
    const verdict = {
      ...plainVerdict('allow'),
      obligations: [log, { ...log, level: 'warn' as const }],
    };
    expect(decisionEntry(HEAD, {}, verdict).obligations).toEqual(['log']);
  });

  test('cuts off what went wrong at the length of a record', () => {
    const wrong = indeterminate('z'.repeat(2000));
    const entry = decisionEntry(HEAD, {}, wrong);
    expectRecordable(entry);
    const list = { catalogue_digest: DIGEST, items: [], detail: wrong.detail };
    const request = recordedRequest({
      subject: { type: 'user', id: 'a' },
      action: { name: 'tools/list' },
      context: { phase: 'discovery' },
    });
    const listed = discoveryEntry(HEAD, { request }, list);
    expectRecordable(listed);
    expect([entry.detail?.length, listed.detail?.length]).toEqual([1024, 1024]);
  });
});

describe('the record that nobody decided', () => {
  const request = recordedRequest({
    subject: { type: 'user', id: 'a' },
    action: { name: 'read' },
    resource: { type: 'todo', id: '1' },
    context: { phase: 'call' },
  });

  test('says who asked what, by which policy, and why', () => {
    const entry = backendErrorEntry(HEAD, { request }, 'the server is away');
    expectRecordable(entry);
    expect(entry).toStrictEqual({
      kind: 'backend_error',
      evaluation_id: 'id-1',
      caller: 'guard',
      policy: HEAD.policy?.identity,
      profile: 'authzen',
      request,
      detail: 'the server is away',
    });
  });

  test('cuts off what went wrong at the length of a record', () => {
    const entry = backendErrorEntry(HEAD, { request }, 'z'.repeat(2000));
    expectRecordable(entry);
    expect(entry.detail).toBe('z'.repeat(1024));
  });
});

describe('the record of a list', () => {
  const REFUSED = { visible: false, reason_code: 'REFUSED' };
  const listOf = (items: RecordedList['items']) =>
    discoveryEntry(HEAD, {}, { catalogue_digest: DIGEST, items, detail: 'x' });
  const ruled = (...lists: string[][]) =>
    lists.map((rules, at) => ({
      resource: { type: 'tool', id: `${at}`, properties: { server: 'payments' } },
      listed: { ...REFUSED, rules },
    }));

  test('holds no more than was listed', () => {
    const { policy: _, ...head } = HEAD;
    const entry = discoveryEntry(
      { ...head, policy: undefined },
      {},
      {
        ...{ catalogue_digest: DIGEST, items: [], detail: undefined },
      },
    );
    expect(entry).toStrictEqual({
      kind: 'discovery',
      evaluation_id: 'id-1',
      caller: 'guard',
      profile: 'authzen',
      catalogue_digest: DIGEST,
      grounds: [],
      shown: [],
      withheld: [],
    });
  });

  test.each<[string, string[], string[]]>([
    ['that are one when joined', ['pay', 'ments'], ['payments']],
    ['that end elsewhere', ['pay', 'ments'], ['paym', 'ents']],
    ['with a line end in one', ['pay', 'ments'], ['pay\nments']],
    ['in another order', ['pay', 'ments'], ['ments', 'pay']],
  ])('names rules %s as another ground', (_what, rules, others) => {
    const entry = listOf(ruled(rules, others, rules));
    expectRecordable(entry);
    expect(entry).toMatchObject({
      server: 'payments',
      grounds: [
        { reason_code: 'REFUSED', rules },
        { reason_code: 'REFUSED', rules: others },
      ],
      withheld: [{ ground: 0 }, { ground: 1 }, { ground: 0 }],
    });
  });
});

describe('what is recorded of a request', () => {
  const recorded = (subject: object, resource: object = {}, context: object = {}) => {
    const request = recordedRequest({
      subject: { type: 'user', id: 'a', properties: subject },
      action: { name: 'read' },
      resource: { type: 'todo', id: '1', properties: resource },
      context: { phase: 'call', ...context },
    });
    expectRecordable(decisionEntry(HEAD, { request }, plainVerdict('allow')));
    return JSON.parse(JSON.stringify(request)) as Record<string, Record<string, unknown>>;
  };

  test.each(['human', 'supervised_ai', 'automation', 'service_account'])(
    'the actor type %s',
    (actor_type) => {
      expect(recorded({ actor_type }).subject).toEqual({ id: 'a', actor_type });
    },
  );

  test('a name of the largest length whole, a longer one as its digest', () => {
    const name = 'n'.repeat(256);
    expect(recorded({ tenant: name }).subject).toMatchObject({ tenant: name });
    expect(recorded({ tenant: `${name}n` }).subject?.tenant).toMatch(/^sha256:[0-9a-f]{64}$/);
    const session = recorded({}, {}, { session: { state: 's'.repeat(33) } }).session;
    expect(session).toMatch(/^sha256:[0-9a-f]{25}$/);
  });

  test('as many links of a delegation as the record takes', () => {
    const delegation = Array.from({ length: 9 }, (_, i) => ({ id: `link-${i}` }));
    const { subject } = recorded({ delegation });
    expect(subject?.delegation).toEqual(delegation.slice(0, 8).map(({ id }) => id));
  });

  const keyed = `hmac-sha256:k.1_-:${'0a'.repeat(32)}`;
  test.each<[string, unknown, unknown]>([
    ['what they are', DIGEST, keyed],
    ['with something before', `x${DIGEST}`, `x${keyed}`],
    ['with something behind', `${DIGEST}0`, `${keyed}0`],
    ['with a line behind', `${DIGEST}\n`, `${keyed}\n`],
    ['in capitals', DIGEST.toUpperCase(), keyed.toUpperCase()],
    ['in a list', [DIGEST], [keyed]],
    ['of nothing', 'sha256:', 'hmac-sha256:k1:'],
    ['of other digits', `sha256:${'g'.repeat(64)}`, `hmac-sha256:k1:${'g'.repeat(64)}`],
  ])('digests that are %s', (what, definition_digest, arguments_digest) => {
    const request = recorded({}, { definition_digest }, { arguments_digest });
    const isDigest = what === 'what they are';
    expect([request.resource?.definition_digest, request.arguments_digest]).toEqual(
      isDigest ? [DIGEST, keyed] : [undefined, undefined],
    );
  });

  test('no phase where the mask of the policy left none', () => {
    const question = { subject: { id: 'a' }, action: { name: 'read' } };
    const phases = [{}, { phase: 'call' }, { phase: 'discovery' }].map(
      (context) => recordedRequest({ ...question, context }).phase,
    );
    expect(phases).toEqual([undefined, 'call', 'discovery']);
  });
});
