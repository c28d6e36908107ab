/** Faults of JSON and of schemas in words, for messages; nothing of the offending value is told. */
import type { ErrorObject } from 'ajv/dist/2020.js';
import type { JsonFault } from './json.ts';
import type { ExplainedFault } from './validate.ts';

const JSON_PROBLEMS: Readonly<Record<JsonFault['code'], string>> = {
  too_large: 'it is larger than the limit',
  not_utf8: 'it is not UTF-8',
  malformed: 'it is not JSON',
  too_deep: 'it is nested too deeply',
  duplicate_name: 'an object has a member twice',
  lone_surrogate: 'a text holds half of a surrogate pair',
  forbidden_name: 'a member has a name that is not taken',
  number_out_of_range: 'a number is larger than a double can hold',
};

/** `it is not JSON`, or ``at `/a` an object has a member twice``. */
export function jsonFaultText({ code, pointer }: JsonFault): string {
  return placed(pointer, JSON_PROBLEMS[code]);
}

/** ``at `/tokens/0/id` this member is missing``. */
export function schemaFaultText({ pointer, problem }: ExplainedFault): string {
  return placed(pointer, problem);
}

function placed(pointer: string, problem: string): string {
  return pointer === '' ? problem : `at \`${pointer}\` ${problem}`;
}

type Params = Readonly<Record<string, unknown>>;

/** What each keyword of JSON Schema asks for, as far as the schemas use it. */
const SCHEMA_PROBLEMS: Readonly<Record<string, string | ((params: Params) => string)>> = {
  additionalProperties: 'this member is not known',
  const: ({ allowedValue }) => `it must be ${quoted(allowedValue)}`,
  contains: 'it lacks a member that must be there',
  dependentRequired: 'this member is missing',
  discriminator: 'it is of no known kind',
  enum: ({ allowedValues }) => `it must be one of ${list(allowedValues)}`,
  exclusiveMaximum: ({ limit }) => `it must be less than ${String(limit)}`,
  exclusiveMinimum: ({ limit }) => `it must be more than ${String(limit)}`,
  'false schema': 'it is not allowed here',
  maxItems: ({ limit }) => `it may have at most ${count(limit, 'item')}`,
  maxLength: ({ limit }) => `it may have at most ${count(limit, 'character')}`,
  maxProperties: ({ limit }) => `it may have at most ${count(limit, 'member')}`,
  maximum: ({ limit }) => `it must be at most ${String(limit)}`,
  minItems: ({ limit }) => `it must have at least ${count(limit, 'item')}`,
  minLength: ({ limit }) => `it must have at least ${count(limit, 'character')}`,
  minProperties: ({ limit }) => `it must have at least ${count(limit, 'member')}`,
  minimum: ({ limit }) => `it must be at least ${String(limit)}`,
  not: 'it has a form that is not allowed',
  oneOf: 'it has none of the allowed forms',
  pattern: ({ pattern }) => `it does not match ${quoted(pattern)}`,
  propertyNames: 'this name is not allowed',
  required: 'this member is missing',
  type: ({ type }) => `it must be of type ${[type].flat().join(' or ')}`,
  uniqueItems: 'it holds something twice',
};

/** What the schema asked for, without the value that was there. */
export function problemOf({ keyword, params }: ErrorObject): string {
  const problem = SCHEMA_PROBLEMS[keyword] ?? `it breaks the rule \`${keyword}\` of its schema`;
  return typeof problem === 'string' ? problem : problem(params as Params);
}

function count(limit: unknown, noun: string): string {
  return `${String(limit)} ${noun}${limit === 1 ? '' : 's'}`;
}

function list(values: unknown): string {
  return (values as unknown[]).map(quoted).join(', ');
}

function quoted(value: unknown): string {
  return `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;
}
