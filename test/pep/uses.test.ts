import { describe, expect, test } from '@jest/globals';
import { digestOf } from '../../src/contract/digest.ts';
import type { Use, UseRule, Work } from '../../src/pep/use.ts';
import {
  CALL_TOOL,
  COMPLETE,
  GET_PROMPT,
  READ_RESOURCE,
  SUBSCRIBE,
  UNSUBSCRIBE,
} from '../../src/pep/uses.ts';
import { ALICE, testParts } from './support/parts.ts';

test.each<[UseRule, string, object]>([
  [CALL_TOOL, 'tools/call', { of: 'tool' }],
  [GET_PROMPT, 'prompts/get', { of: 'prompt' }],
  [READ_RESOURCE, 'resources/read', { of: 'resource', uri: 'x' }],
  [SUBSCRIBE, 'resources/subscribe', { of: 'nothing' }],
  [UNSUBSCRIBE, 'resources/unsubscribe', { of: 'nothing' }],
  [COMPLETE, 'completion/complete', { of: 'nothing' }],
])('%# is decided under its method, and masked in its shape', (rule, method, shape) => {
  expect([rule.method, rule.shape({ id: 'x' } as Use)]).toEqual([method, shape]);
});

const PROMPT = { type: 'ref/prompt', name: 'greet' };
const TEMPLATE = { type: 'ref/resource', uri: 'vault://{box}/{code}' };
const CODE = { name: 'code', value: 'o' };

describe('a completion', () => {
  test('of a prompt is a use of it with its values so far, and no more is passed on', () => {
    const params = {
      ref: { ...PROMPT, uri: 'x', title: 'x' },
      argument: { ...CODE, more: 1 },
      context: { arguments: { box: 'b', code: 'other' }, more: 1 },
      _meta: { token: 1 },
      more: 1,
    };
    expect(COMPLETE.read(params)).toStrictEqual({
      kind: 'prompt',
      id: 'greet',
      arguments: { box: 'b', code: 'o' },
      params: {
        ref: PROMPT,
        argument: CODE,
        context: { arguments: { box: 'b' } },
        _meta: { token: 1 },
      },
    });
  });

  test('of a template is a use of it, and without a context none is passed on', () => {
    const params = { ref: { ...TEMPLATE, name: 'x' }, argument: CODE, _meta: 'x' };
    expect(COMPLETE.read(params)).toStrictEqual({
      kind: 'resource_template',
      id: TEMPLATE.uri,
      arguments: { code: 'o' },
      params: { ref: TEMPLATE, argument: CODE },
    });
  });

  test.each([{}, { arguments: 'all' }])('reads no values in the context %j', (context) => {
    expect(COMPLETE.read({ ref: PROMPT, argument: CODE, context })).toMatchObject({
      arguments: { code: 'o' },
      params: { context: { arguments: {} } },
    });
  });

  test.each<[object, string]>([
    [{ argument: 'code' }, '/params/argument'],
    [{ argument: { value: 'o' } }, '/params/argument/name'],
    [{ argument: { name: 'code' } }, '/params/argument/value'],
    [{ argument: { name: 'code', value: 7 } }, '/params/argument/value'],
    [{ context: 'all' }, '/params/context'],
    [{ context: null }, '/params/context'],
    [{ ref: undefined }, '/params/ref'],
    [{ ref: 'greet' }, '/params/ref'],
    [{ ref: { type: 'ref/prompt' } }, '/params/ref'],
    [{ ref: { type: 'ref/prompt', name: 7 } }, '/params/ref'],
    [{ ref: { type: 'ref/prompt', uri: 'x' } }, '/params/ref'],
    [{ ref: { type: 'ref/resource', name: 'x' } }, '/params/ref'],
    [{ ref: { type: 'ref/resource', uri: 7 } }, '/params/ref'],
    [{ ref: { type: 'ref/tool', name: 'x', uri: 'x' } }, '/params/ref'],
    [{ ref: { name: 'x' } }, '/params/ref'],
    [{ ref: { uri: 'x' } }, '/params/ref'],
  ])('with %j is invalid', (wrong, pointer) => {
    expect(COMPLETE.read({ ref: PROMPT, argument: CODE, ...wrong })).toBe(pointer);
  });
});

describe('a call', () => {
  const modern = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' };

  test.each<[object, unknown]>([
    [{ name: 'pay' }, undefined],
    [{ name: 'pay', task: { ttl: 5, more: 1 } }, { ttl: 5 }],
    [{ name: 'pay', task: {}, _meta: modern }, undefined],
    [{ name: 'pay', task: 'x', _meta: modern }, undefined],
  ])('%j asks for the task %j', (params, task) => {
    const use = CALL_TOOL.read(params as Record<string, unknown>) as Use;
    expect([use.id, use.task]).toEqual(['pay', task]);
    expect(use.params).not.toHaveProperty('task');
  });

  test.each<[object, string]>([
    [{ task: {} }, '/params/name'],
    [{ name: 'pay', task: 'x' }, '/params/task'],
  ])('%j is invalid', (params, pointer) => {
    expect(CALL_TOOL.read(params as Record<string, unknown>)).toBe(pointer);
  });
});

describe('what is told of a completion', () => {
  /** Tells `completion`, an answer on `ref`, to one who may not know of what is called secret. */
  async function told(completion: unknown, ref: object = TEMPLATE, box: unknown = 'b') {
    const parts = testParts({ visible: (id) => !id.includes('secret') });
    const context = { arguments: { box } };
    const params = { ref, argument: CODE, context };
    const request = { kind: 'request', id: 1, method: 'completion/complete', params } as const;
    const catalogue = async () => ({ digest: digestOf([]) });
    const work = {
      gate: { parts, catalogue },
      exchange: { signal: new AbortController().signal },
      rule: COMPLETE,
      use: COMPLETE.read(params),
      asker: { trusted: ALICE, request, claims: {}, extra: undefined },
    };
    const result = { completion, more: 1, _meta: { more: 1 } };
    const message = { jsonrpc: '2.0', id: 1, result };
    const answer = await COMPLETE.tell?.(work as unknown as Work, message);
    const asked = parts.decisionPoint.discoveries[0]?.evaluations.map(({ resource }) => resource);
    return { said: answer?.['result'], asked, result };
  }

  test('for a template are the values whose address the caller may know of', async () => {
    const values = ['open', 'secret', 7, '\ud800', 'a/b'];
    const { said, asked } = await told({ values, total: 5, hasMore: true });
    expect(said).toStrictEqual({ completion: { values: ['open', 'a/b'], hasMore: true } });
    const properties = { server: 'payments' };
    expect(asked).toEqual(
      ['vault://b/open', 'vault://b/secret', 'vault://b/a%2Fb'].map((id) => ({
        type: 'resource',
        id,
        properties,
      })),
    );
  });

  test.each([false, 'true', 1, undefined])(
    'is that there are more, but not %j',
    async (hasMore) => {
      const { said } = await told({ values: ['open'], hasMore });
      expect(said).toStrictEqual({ completion: { values: ['open'] } });
    },
  );

  test.each([
    undefined,
    'secret',
    ['secret'],
    {},
    { values: 'secret' },
    { values: { 0: 'secret' } },
  ])('is nothing where it is malformed: %j', async (completion) => {
    expect((await told(completion)).said).toStrictEqual({ completion: { values: [] } });
  });

  test('is nothing where another variable of the template is not known', async () => {
    const { said, asked } = await told({ values: ['open'] }, TEMPLATE, 7);
    expect([said, asked]).toEqual([{ completion: { values: [] } }, []]);
  });

  test('for a prompt is what the server says', async () => {
    const { said, asked, result } = await told({ values: ['secret'] }, PROMPT);
    expect([said, asked]).toEqual([result, undefined]);
  });
});
