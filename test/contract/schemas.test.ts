/** The schemas: what they take and refuse, told by examples, and what holds for all of them. */
import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { OBLIGATION_TYPES } from '../../src/contract/obligations.ts';
import { compileSchema, VALIDATORS } from '../../src/contract/validate.ts';

type Schema = Record<string, unknown> & { $defs?: Record<string, Schema> };
type SchemaName = keyof typeof VALIDATORS;

const TOP = new URL('../../', import.meta.url);
const SCHEMAS = new URL('src/contract/schemas/', TOP);
const EXAMPLES = new URL('test/contract/examples/', TOP);

/** Messages that other people's software writes: what we do not know in them is ignored. */
const OPEN: readonly string[] = [
  'authzen_evaluation_request',
  'authzen_evaluations_request',
  'sep_decision_request',
];

const readJson = (url: URL): unknown => JSON.parse(readFileSync(url, 'utf8'));
const schemaOf = (name: string): Schema =>
  readJson(new URL(`${name}.schema.json`, SCHEMAS)) as Schema;
const names = readdirSync(SCHEMAS).map((file) => file.replace('.schema.json', ''));
const schemas = new Map(names.map((name) => [name, schemaOf(name)]));

/** The examples of one kind: the file's name without its ending, and its content. */
function examples(name: string, kind: 'valid' | 'invalid'): [title: string, content: unknown][] {
  const folder = new URL(`${name}/${kind}/`, EXAMPLES);
  return readdirSync(folder).map((file) => [
    file.replace('.json', ''),
    readJson(new URL(file, folder)),
  ]);
}

/** Each schema inside a schema, with its place. */
function* walk(node: unknown, place = ''): Generator<[place: string, node: Schema]> {
  if (typeof node !== 'object' || node === null) return;
  if (!Array.isArray(node)) yield [place, node as Schema];
  for (const [name, inner] of Object.entries(node)) yield* walk(inner, `${place}/${name}`);
}

/** Words for the keyword at fault: one without any would be told as the rule that was broken. */
const IN_WORDS: unknown = expect.stringMatching(/^(?:it|this) (?!breaks the rule)/);

test('each schema has a validator, and each validator a schema', () => {
  expect(Object.keys(VALIDATORS).sort()).toEqual([...names].sort());
});

test('each schema has examples', () => {
  expect(readdirSync(EXAMPLES).sort()).toEqual([...names].sort());
});

describe.each(names)('%s', (name) => {
  const validate = VALIDATORS[name as SchemaName];
  const schema = schemaOf(name);

  test('is named as its file', () => {
    const title = name.replaceAll(/(?:^|_)([a-z])/g, (_match, letter: string) =>
      letter.toUpperCase(),
    );
    expect(schema).toMatchObject({ $id: `urn:portcullis:schema:${name}`, title });
  });

  test('has at least two examples of each kind', () => {
    expect(examples(name, 'valid').length).toBeGreaterThanOrEqual(2);
    expect(examples(name, 'invalid').length).toBeGreaterThanOrEqual(2);
  });

  test.each(examples(name, 'valid'))('takes %s', (_title, message) => {
    expect(validate(message)).toEqual({ ok: true, value: message });
  });

  test.each(examples(name, 'invalid'))('refuses %s', (_title, content) => {
    const { $fault, message } = content as { $fault: object; message: unknown };
    expect(validate(message)).toEqual({ ok: false, fault: { ...$fault, problem: IN_WORDS } });
  });

  test.each([null, true, 0, '', []])('refuses %j in its place', (other) => {
    expect(validate(other)).toEqual({
      ok: false,
      fault: { pointer: '', keyword: 'type', problem: IN_WORDS },
    });
  });

  test('every object with members is closed, unless others write it', () => {
    const open = [...walk(schema)].filter(
      ([place, node]) =>
        node.type === 'object' &&
        typeof node.properties === 'object' &&
        node.additionalProperties !== false &&
        !(name === 'policy_data' && place === ''), // an author's own roots stand beside ours
    );
    expect(OPEN.includes(name) ? [] : open.map(([place]) => place)).toEqual([]);
  });

  test('every text and list of ours has a limit', () => {
    const limits = ['maxLength', 'pattern', 'enum', 'const'];
    const boundless = [...walk(schema)].filter(
      ([, node]) =>
        (node.type === 'string' && !limits.some((limit) => limit in node)) ||
        (node.type === 'array' && !('maxItems' in node)),
    );
    expect(name.startsWith('authzen') ? [] : boundless.map(([place]) => place)).toEqual([]);
  });
});

test('definitions of one name are equal in all schemas', () => {
  const first = new Map<string, Schema>();
  for (const [, { $defs = {} }] of schemas) {
    for (const [name, definition] of Object.entries($defs)) {
      expect([name, definition]).toEqual([name, first.get(name) ?? definition]);
      first.set(name, definition);
    }
  }
  expect(first.size).toBeGreaterThan(20);
});

test('types.gen.ts is what the schemas say', () => {
  const script = fileURLToPath(new URL('scripts/generate_types.ts', TOP));
  execFileSync(process.execPath, [script, '--check'], { cwd: TOP });
});

describe('obligations', () => {
  const response = schemaOf('evaluation_response');
  const oneOf = response.$defs?.obligation?.oneOf as { $ref: string }[];
  const listed = oneOf.map(({ $ref }) => $ref.replace('#/$defs/', ''));

  test('are one list in the code and in every schema', () => {
    expect(OBLIGATION_TYPES).toEqual(listed);
    const enums = [...schemas.values()]
      .flatMap((schema) => [...walk(schema)])
      .map(([, node]) => node.enum)
      .filter((values) => Array.isArray(values) && values.includes('keep_fields'));
    expect(enums).toEqual(Array(3).fill([...OBLIGATION_TYPES]));
  });

  test('are each named by their `type`', () => {
    for (const type of listed) {
      expect(response.$defs?.[type]).toMatchObject({ properties: { type: { const: type } } });
    }
  });

  test('each has an example', () => {
    const message = readJson(
      new URL('evaluation_response/valid/every_obligation.json', EXAMPLES),
    ) as { context: { obligations: { type: string }[] } };
    expect(message.context.obligations.map(({ type }) => type)).toEqual(OBLIGATION_TYPES);
  });
});

describe('kinds of records', () => {
  const schema = schemaOf('evidence_record');
  const kinds = (schema.properties as Record<string, Schema>).kind?.enum as string[];
  const dependent = schema.dependentSchemas as { kind: { allOf: Schema[] } };
  const rows = dependent.kind.allOf as unknown as {
    if: { properties: { kind: { const: string } } };
    then: { propertyNames: { enum: string[] } };
  }[];
  const allowed = new Map(
    rows.map(({ if: when, then }) => [when.properties.kind.const, then.propertyNames.enum]),
  );
  const records = examples('evidence_record', 'valid').map(([, record]) => record) as Schema[];

  test('each say which members they have', () => {
    expect([...allowed.keys()].sort()).toEqual([...kinds].sort());
    const members = Object.keys(schema.properties as object);
    expect(members).toEqual(expect.arrayContaining([...new Set([...allowed.values()].flat())]));
  });

  test.each(kinds)('%s has an example, and refuses each member of another kind', (kind) => {
    const example = records.find((record) => record.kind === kind);
    expect(example).toMatchObject({ v: 1, kind });
    const others = records.flatMap((record) => Object.entries(record));
    const foreign = new Map(others.filter(([name]) => !allowed.get(kind)?.includes(name)));
    expect(foreign.size).toBeGreaterThan(5);
    for (const [name, value] of foreign) {
      expect(VALIDATORS.evidence_record({ ...example, [name]: value })).toMatchObject({
        fault: { pointer: `/${name}`, keyword: 'propertyNames' },
      });
    }
    expect(VALIDATORS.evidence_record({ ...example, token: 'x' })).toMatchObject({ ok: false });
  });

  test('a member is missing only where its own group was redacted', () => {
    const redacted = examples('evidence_record', 'valid').find(
      ([title]) => title === 'decision_redacted',
    )?.[1] as { seals: Record<string, string> };
    const { internals: _, ...seals } = redacted.seals;
    expect(VALIDATORS.evidence_record({ ...redacted, seals })).toMatchObject({
      fault: { pointer: '/seals/internals', keyword: 'required' },
    });
  });
});

describe('the fault that is told', () => {
  const validate = compileSchema({
    type: 'object',
    properties: { 'a/b': { type: 'object', properties: {}, additionalProperties: false } },
    additionalProperties: false,
  });

  test('names an unknown member by its pointer', () => {
    expect(validate({ 'a/b': { 'c~d': 1 } })).toEqual({
      ok: false,
      fault: {
        pointer: '/a~1b/c~0d',
        keyword: 'additionalProperties',
        problem: 'this member is not known',
      },
    });
  });

  test('leaves out a name beyond measure', () => {
    expect(validate({ 'a/b': { ['c'.repeat(129)]: 1 } })).toEqual({
      ok: false,
      fault: {
        pointer: '/a~1b',
        keyword: 'additionalProperties',
        problem: 'this member is not known',
      },
    });
  });

  test('holds no value of the message', () => {
    const result = validate({ 'a/b': 'secret' });
    expect(JSON.stringify(result)).not.toContain('secret');
  });
});
