/** Compiling schemas: ours strictly, and those of others as they come. */
import { describe, expect, test } from '@jest/globals';
import { compileSchema } from '../../src/contract/validate.ts';

describe('a schema of ours', () => {
  test.each([
    ['an unknown keyword', { type: 'object', propertys: {} }, 'unknown keyword'],
    ['a format', { type: 'string', format: 'uri' }, 'unknown format'],
    ['a type that there is not', { type: 'text' }, 'schema is invalid'],
  ])('with %s is not compiled', (_title, schema, told) => {
    expect(() => compileSchema(schema)('')).toThrow(told);
  });

  test('may demand members in one place that another describes', () => {
    const schema = { type: 'object', properties: { a: {} }, anyOf: [{ required: ['a'] }] };
    expect(compileSchema(schema)({ a: 1 }).ok).toBe(true);
  });

  test('may take several types', () => {
    expect(compileSchema({ type: ['string', 'number'] })(1).ok).toBe(true);
  });
});

describe('a schema of somebody else', () => {
  const compile = (schema: object) => compileSchema(schema, { foreign: true });

  test.each([
    ['keywords that we do not know', { type: 'object', 'x-order': 1 }],
    ['formats', { type: 'object', properties: { a: { type: 'string', format: 'no-such' } } }],
    ['a format of a name that objects have', { additionalProperties: { format: 'isPrototypeOf' } }],
    ['a keyword of another type', { type: 'object', maxLength: 1 }],
    ['the name of an older draft', { $schema: 'http://json-schema.org/draft-07/schema#' }],
    ['a faulty keyword that is not used', { type: 'object', title: 7 }],
  ])('is taken with %s', (_title, schema) => {
    expect(compile(schema)({ a: 'b' })).toEqual({ ok: true, value: { a: 'b' } });
  });

  test('judges', () => {
    const result = compile({ type: 'object', required: ['a'] })({});
    expect(result).toMatchObject({ ok: false, fault: { pointer: '/a', keyword: 'required' } });
  });

  test('that asks for an answer later answers now', () => {
    const result = compile({ $async: true, type: 'object' })(7);
    expect(result).toMatchObject({ ok: false, fault: { pointer: '', keyword: 'type' } });
  });

  test('meets no other of its name', () => {
    const schemas = ['object', 'number'].map((type) => ({ $id: 'urn:of:one', type }));
    expect(schemas.map((schema) => compile(schema)(7).ok)).toEqual([false, true]);
  });

  test.each([
    ['a type that there is not', { type: 'text' }, 'type'],
    ['a reference that leads nowhere', { $ref: '#/$defs/absent' }, "can't resolve reference"],
    ['a pattern that is none', { type: 'string', pattern: '(' }, 'Invalid regular expression'],
  ])('throws with %s, each time', (_title, schema, told) => {
    const validate = compile(schema);
    for (let times = 0; times < 2; times += 1) expect(() => validate('a')).toThrow(told);
  });
});

describe('the fault that is told', () => {
  test('is the deepest, and of several the first', () => {
    const inner = { type: 'object', properties: { a: { type: 'object', required: ['b'] } } };
    const deepest = compileSchema({ anyOf: [{ type: 'number' }, inner, { type: 'null' }] });
    expect(deepest({ a: {} })).toMatchObject({ fault: { pointer: '/a/b', keyword: 'required' } });
    const demanded = ['a', 'b'].map((name) => ({ type: 'object', required: [name] }));
    expect(compileSchema({ anyOf: demanded })({})).toMatchObject({ fault: { pointer: '/a' } });
  });

  test('names a member of up to 128 characters', () => {
    const validate = compileSchema({ type: 'object', additionalProperties: false });
    const placeOf = (name: string): unknown => validate({ [name]: 1 });
    const name = 'n'.repeat(128);
    expect(placeOf(name)).toMatchObject({ fault: { pointer: `/${name}` } });
    expect(placeOf(`${name}n`)).toMatchObject({ fault: { pointer: '' } });
  });
});
