import { describe, expect, test } from '@jest/globals';
import { captureJson, captureMessage, mutableCopy, wireCopy } from '../../src/pep/message.ts';

const request = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'x' } };

describe('captureMessage', () => {
  test('takes a frozen copy, which later changes do not reach', () => {
    const raw = { ...request, params: { name: 'x', arguments: { amount: 1 } } };
    const captured = captureMessage(raw);
    raw.params.arguments.amount = 1_000_000;
    expect(captured).toEqual({
      kind: 'request',
      id: 1,
      method: 'tools/call',
      params: { name: 'x', arguments: { amount: 1 } },
    });
    expect(() => {
      (captured as unknown as { params: { name: string } }).params.name = 'y';
    }).toThrow(TypeError);
  });

  test('takes every kind of value', () => {
    const params = { list: [1, 'a', null, true, false, [{}]], deep: { a: { b: [] } }, no: false };
    expect(captureMessage({ ...request, params })).toMatchObject({ params });
  });

  test.each([
    [62, 'request'],
    [63, 'malformed'],
  ])('takes %d levels below the parameters or not', (levels, kind) => {
    let deep: unknown = 1;
    for (let i = 0; i < levels; i += 1) deep = [deep];
    expect(captureMessage({ ...request, params: { deep } })).toMatchObject({ kind });
  });

  test('reads a getter once', () => {
    let reads = 0;
    const raw = {
      ...request,
      get method() {
        reads += 1;
        return reads === 1 ? 'ping' : 'tools/call';
      },
    };
    expect(captureMessage(raw)).toMatchObject({ kind: 'request', method: 'ping' });
    expect(reads).toBe(1);
  });

  test('knows notifications and answers', () => {
    expect(captureMessage({ jsonrpc: '2.0', method: 'm' })).toEqual({
      kind: 'notification',
      method: 'm',
      params: {},
    });
    expect(captureMessage({ jsonrpc: '2.0', id: 'a', result: {} })).toEqual({
      kind: 'answer',
      id: 'a',
      body: { result: {} },
    });
    expect(captureMessage({ jsonrpc: '2.0', id: 2, error: { code: 1 } })).toEqual({
      kind: 'answer',
      id: 2,
      body: { error: { code: 1 } },
    });
  });

  test.each([
    ['a batch', [request], undefined, ''],
    ['no object', 'text', undefined, ''],
    ['null', null, undefined, ''],
    ['another version', { ...request, jsonrpc: '1.0' }, 1, '/jsonrpc'],
    ['an id that is null', { ...request, id: null }, undefined, '/id'],
    ['an id that is a fraction', { ...request, id: 1.5 }, undefined, '/id'],
    ['an id beyond safe integers', { ...request, id: 2 ** 53 }, undefined, '/id'],
    ['an id that is an object', { ...request, id: {} }, undefined, '/id'],
    ['a method that is no text', { ...request, method: 7 }, 1, '/method'],
    ['params that are an array', { ...request, params: [1] }, 1, '/params'],
    ['a result on a request', { ...request, result: {} }, 1, '/result'],
    ['an error on a request', { ...request, error: {} }, 1, '/error'],
    ['an unknown member', { ...request, extra: 1 }, 1, '/extra'],
    ['an answer without an id', { jsonrpc: '2.0', result: {} }, undefined, '/method'],
    ['an answer with params', { jsonrpc: '2.0', id: 1, result: {}, params: {} }, 1, '/method'],
    ['an answer of both kinds', { jsonrpc: '2.0', id: 1, result: {}, error: {} }, 1, '/result'],
    ['an answer of no kind', { jsonrpc: '2.0', id: 1 }, 1, '/result'],
    ['a function', { ...request, params: { name: () => 1 } }, 1, '/params/name'],
    ['a number beyond a double', { ...request, params: { n: Infinity } }, 1, '/params/n'],
    ['a lone surrogate', { ...request, params: { n: '\ud800' } }, 1, '/params/n'],
    ['a lone surrogate in a name', { ...request, params: { '\udc00': 1 } }, 1, '/params/\udc00'],
    ['a hole in an array', { ...request, params: { n: [1, undefined] } }, 1, '/params/n/1'],
    [
      'a __proto__',
      JSON.parse('{"jsonrpc":"2.0","id":1,"method":"m","params":{"__proto__":{}}}'),
      1,
      '/params/__proto__',
    ],
  ])('refuses %s', (_what, raw: unknown, id, pointer) => {
    const expected = { kind: 'malformed', ...(id !== undefined && { id }), pointer };
    expect(captureMessage(raw)).toEqual(expected);
  });

  test('refuses what nests without end', () => {
    const loop: Record<string, unknown> = {};
    loop['loop'] = loop;
    const captured = captureMessage({ ...request, params: loop });
    expect(captured).toMatchObject({ kind: 'malformed', id: 1 });
  });
});

describe('copies', () => {
  test.each([
    [64, true],
    [65, false],
  ])('a captured object of %i levels is taken: %s', (levels, taken) => {
    let deep: object = {};
    for (let i = 1; i < levels; i += 1) deep = { deep };
    expect(captureJson(deep) !== undefined).toBe(taken);
  });

  test('a mutable copy may be changed and leaves its source alone', () => {
    const source = Object.freeze({
      list: Object.freeze([Object.freeze({ a: 1 })]),
      gone: undefined,
    });
    const copy = mutableCopy(source) as { list: { a: number }[] };
    copy.list[0]!.a = 2;
    expect(source.list[0]).toEqual({ a: 1 });
    expect(Object.keys(copy)).toEqual(['list']);
  });

  test('a wire copy is what JSON says, and nothing where JSON says nothing', () => {
    const loop: Record<string, unknown> = {};
    loop['loop'] = loop;
    expect(wireCopy({ at: { toJSON: () => 'now' }, gone: undefined })).toEqual({ at: 'now' });
    expect(wireCopy(loop)).toBeUndefined();
    expect(wireCopy(undefined)).toBeUndefined();
  });
});
