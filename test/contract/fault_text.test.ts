/** What is said of a message that is refused: the rule it breaks, and nothing of what it holds. */
import { describe, expect, test } from '@jest/globals';
import { jsonFaultText, schemaFaultText } from '../../src/contract/fault_text.ts';
import { parseJson } from '../../src/contract/json.ts';
import { compileSchema } from '../../src/contract/validate.ts';

describe('of JSON', () => {
  test.each([
    ['"too long"', 'it is larger than the limit'],
    [Uint8Array.of(0x22, 0xff, 0x22), 'it is not UTF-8'],
    ['nul', 'it is not JSON'],
    ['[[[]]]', 'it is nested too deeply'],
    ['{"a":1,"a":2}', 'an object has a member twice'],
    ['[{"a":1,"a":2}]', 'at `/0` an object has a member twice'],
    [String.raw`"\ud800"`, 'a text holds half of a surrogate pair'],
    ['{"__proto__":1}', 'a member has a name that is not taken'],
    ['[1e999]', 'at `/0` a number is larger than a double can hold'],
  ])('%j', (source, told) => {
    const limit = source === '"too long"' ? 5 : 20;
    const result = parseJson(source, { size_bytes_max: limit, depth_max: 2 });
    expect(result.ok ? undefined : jsonFaultText(result.fault)).toBe(told);
  });
});

type Case = readonly [schema: object, value: unknown, told: string];

const kind = (name: string): object => ({
  properties: { kind: { const: name }, [name]: { type: 'number' } },
  required: ['kind'],
});

const CASES: readonly Case[] = [
  [{ properties: {}, additionalProperties: false }, { b: 1 }, 'at `/b` this member is not known'],
  [{ const: 'v1' }, 'secret', 'it must be `v1`'],
  [{ const: { a: [1] } }, 'secret', 'it must be `{"a":[1]}`'],
  [{ contains: { const: 1 } }, ['secret'], 'it lacks a member that must be there'],
  [{ dependentRequired: { a: ['b'] } }, { a: 1 }, 'at `/b` this member is missing'],
  [
    { type: 'object', discriminator: { propertyName: 'kind' }, oneOf: [kind('a'), kind('b')] },
    { kind: 'secret' },
    'it is of no known kind',
  ],
  [{ enum: ['a', 1, null] }, 'secret', 'it must be one of `a`, `1`, `null`'],
  [{ exclusiveMaximum: 5 }, 5, 'it must be less than 5'],
  [{ exclusiveMinimum: 5 }, 5, 'it must be more than 5'],
  [{ properties: { a: false } }, { a: 1 }, 'at `/a` it is not allowed here'],
  [{ maxItems: 1 }, [1, 2], 'it may have at most 1 item'],
  [{ maxItems: 2 }, [1, 2, 3], 'it may have at most 2 items'],
  [{ maxLength: 1 }, 'secret', 'it may have at most 1 character'],
  [{ maxLength: 0 }, 'secret', 'it may have at most 0 characters'],
  [{ maxProperties: 1 }, { a: 1, b: 2 }, 'it may have at most 1 member'],
  [{ maximum: 5 }, 6, 'it must be at most 5'],
  [{ minItems: 2 }, [1], 'it must have at least 2 items'],
  [{ minLength: 9 }, 'secret', 'it must have at least 9 characters'],
  [{ minProperties: 2 }, { a: 1 }, 'it must have at least 2 members'],
  [{ minimum: 5 }, 4, 'it must be at least 5'],
  [{ not: { maxLength: 9 } }, 'secret', 'it has a form that is not allowed'],
  [{ oneOf: [{ maxLength: 9 }, { minLength: 1 }] }, 'a', 'it has none of the allowed forms'],
  [{ pattern: '^[a-c]+$' }, 'secret', 'it does not match `^[a-c]+$`'],
  [{ propertyNames: { enum: ['a'] } }, { b: 1 }, 'at `/b` this name is not allowed'],
  [{ required: ['a/b'] }, {}, 'at `/a~1b` this member is missing'],
  [{ type: 'boolean' }, 'secret', 'it must be of type boolean'],
  [{ type: ['boolean', 'null'] }, 'secret', 'it must be of type boolean or null'],
  [{ uniqueItems: true }, [1, 1], 'it holds something twice'],
  [{ multipleOf: 2 }, 3, 'it breaks the rule `multipleOf` of its schema'],
];

describe('of a schema', () => {
  test.each(CASES)('%j, of %j: %s', (schema, value, told) => {
    const result = compileSchema(schema, { foreign: !('discriminator' in schema) })(value);
    expect(result.ok ? undefined : schemaFaultText(result.fault)).toBe(told);
  });
});
