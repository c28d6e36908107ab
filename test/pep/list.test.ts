import { describe, expect, test } from '@jest/globals';
import { digestOf } from '../../src/contract/digest.ts';
import { resourceNamed } from '../../src/pep/evaluation.ts';
import { discover, frameOf, listParams } from '../../src/pep/list.ts';
import { ALICE, testParts } from './support/parts.ts';

const SERVER_INFO = 'io.modelcontextprotocol/serverInfo';

test.each<[object, object]>([
  [{}, {}],
  [{ tools: ['secret'], total: 7 }, {}],
  [{ nextCursor: 'n' }, { nextCursor: 'n' }],
  [{ resultType: 'complete' }, { resultType: 'complete' }],
  [{ ttlMs: 0 }, { ttlMs: 0 }],
  [{ cacheScope: 'public' }, { cacheScope: 'public' }],
  [{ _meta: 'all' }, {}],
  [{ _meta: { hidden: 1 } }, {}],
  [
    { _meta: { [SERVER_INFO]: { name: 's' }, hidden: 1 } },
    { _meta: { [SERVER_INFO]: { name: 's' } } },
  ],
])('of a page %j is told beside its items: %j', (page, told) => {
  expect(frameOf(page)).toStrictEqual(told);
});

test.each<[Record<string, unknown>, object | undefined]>([
  [{}, undefined],
  [{ more: 1 }, undefined],
  [{ cursor: 'c', more: 1 }, { cursor: 'c' }],
  [{ _meta: { a: 1 } }, { _meta: { a: 1 } }],
  [{ _meta: 'all' }, {}],
  [
    { cursor: 'c', _meta: { a: 1 } },
    { cursor: 'c', _meta: { a: 1 } },
  ],
])('a list that is asked for with %j is asked of the server with %j', (params, passed) => {
  expect(listParams(params)).toStrictEqual(passed);
});

describe('an answer on what may be known of', () => {
  const ask = (answer: unknown) => {
    const parts = testParts({ discover: () => answer });
    const request = { kind: 'request', id: 1, method: 'tools/list', params: {} } as const;
    const asker = { trusted: ALICE, request, claims: {}, extra: undefined };
    const { signal } = new AbortController();
    const resources = [resourceNamed('payments', 'tool', 'a')];
    return discover({ parts }, { signal }, asker, resources, digestOf([]));
  };

  test('is believed as it stands', async () => {
    expect(await ask({ evaluations: [{ decision: true }] })).toEqual([true]);
  });

  test.each<[object, object]>([
    [
      { evaluations: [{ decision: 'yes' }] },
      { message: 'the answer is malformed', pointer: '/evaluations/0/decision' },
    ],
    [{ evaluations: [] }, { message: 'the answer has another length' }],
  ])('%j is not believed, and operators read where', async (answer, error) => {
    const code = 'DECISION_POINT_UNREACHABLE';
    await expect(ask(answer)).rejects.toMatchObject({ code, ...error });
  });
});
