/** The published description of the service, against the service. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { openApiDocument } from '../../scripts/openapi.ts';
import { compileSchema } from '../../src/contract/validate.ts';
import { ERRORS } from '../../src/errors.ts';
import { STATUS } from '../../src/pdp/edge.ts';
import { ROUTES } from '../../src/pdp/routes.ts';
import { readTokens } from '../../src/pdp/token_file.ts';
import { serve, type Serving } from '../cli/fixture.ts';
import { CALL, LIST } from '../decision/remote/fixture.ts';
import { privateFolder, send, type Sent } from './fixture.ts';

type Json = Record<string, unknown>;

interface Content {
  content: Record<string, { schema?: Json }>;
}
interface OperationObject {
  operationId: string;
  security: Record<string, string[]>[];
  requestBody?: Content;
  responses: Record<string, Content & { description: string; headers?: Json }>;
}
interface Document {
  openapi: string;
  paths: Record<string, Record<string, OperationObject>>;
  components: { schemas: Record<string, Json>; securitySchemes: Json };
}

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const text = readFileSync(join(ROOT, 'src/pdp/openapi.gen.json'), 'utf8');
const document = JSON.parse(text) as Document;

const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({
    name: `${method.toUpperCase()} ${path}`,
    operation,
  })),
);

/** Validates what a place of the document describes; throws where its schema cannot be compiled. */
function validatorOf(schema: Json) {
  const whole = { $defs: document.components.schemas, ...schema };
  const local = JSON.stringify(whole).replaceAll('#/components/schemas/', '#/$defs/');
  return compileSchema(JSON.parse(local) as object);
}

function* refsIn(node: unknown): Generator<string> {
  if (typeof node !== 'object' || node === null) return;
  for (const [name, inner] of Object.entries(node)) {
    if (name === '$ref' && typeof inner === 'string') yield inner;
    else yield* refsIn(inner);
  }
}

test('the document is what the tables and schemas say', () => {
  expect(document).toEqual(JSON.parse(JSON.stringify(openApiDocument())));
});

test('it has the routes of the table, each with its scope, and no other', () => {
  const scopes = operations.map(({ name, operation }) => [
    name,
    operation.security.map((each) => Object.entries(each).flat(2).join(' ')),
  ]);
  const expected = ROUTES.map(({ method, path, scope }) => [
    `${method} ${path}`,
    scope === null ? [] : [`bearer ${scope}`, `signed ${scope}`],
  ]);
  expect(scopes).toEqual(expected);
  expect(Object.keys(document.components.securitySchemes)).toEqual(['bearer', 'signed']);
  const ids = operations.map(({ operation }) => operation.operationId);
  expect(new Set(ids).size).toBe(ids.length);
});

test('every reference leads to a place of the document', () => {
  const refs = [...new Set(refsIn(document))];
  expect(refs.length).toBeGreaterThan(30);
  for (const ref of refs) {
    const steps = ref.split('/');
    expect([ref, steps.shift()]).toEqual([ref, '#']);
    const found = steps.reduce<unknown>((node, step) => (node as Json)?.[step], document);
    expect([ref, typeof found]).toEqual([ref, 'object']);
  }
});

test.each(Object.keys(document.components.schemas))('the schema %s compiles', (name) => {
  expect(validatorOf({ $ref: `#/components/schemas/${name}` })(undefined).ok).toBe(false);
});

test('every status that an endpoint answers with an error is told, with its code', () => {
  const responses = document.paths['/access/v1/evaluation']?.post?.responses;
  for (const [code, status] of Object.entries(STATUS)) {
    expect([code, responses?.[status]?.description]).toEqual([
      code,
      expect.stringContaining(`\`${code}\`: ${ERRORS[code as keyof typeof ERRORS].meaning}.`),
    ]);
  }
});

describe('a running service', () => {
  const folder = privateFolder();
  const state = join(folder.path, 'state');
  let service: Serving;
  let authorization: string;
  beforeAll(async () => {
    const bundle = join(ROOT, 'bundles', 'payments.tar.gz');
    service = await serve('--bundle', bundle, '--data', state, '--listen', '127.0.0.1:0');
    authorization = `Bearer ${readTokens(service.token_file)[0]?.token}`;
  });
  afterAll(async () => {
    await service.stop('SIGKILL');
    folder.remove();
  });

  async function ask(
    name: string,
    body?: object,
    headers: Record<string, string> = {},
  ): Promise<Sent> {
    const [method, template] = name.split(' ') as ['GET' | 'POST', string];
    // Of a log of one record.
    const path = template.replace('{path}', '0/000.p/1').replace(/\{\w+\}/, '0');
    return send(service.url, path, {
      method,
      headers: { authorization, ...headers },
      ...(body && { body: JSON.stringify(body) }),
    });
  }

  /** The answer has a status that the document knows for the route, and the shape of it. */
  function expectDescribed(name: string, { status, body, headers }: Sent): void {
    const operation = operations.find((each) => each.name === name)?.operation;
    const response = operation?.responses[status];
    expect([name, status, response?.description]).toEqual([name, status, expect.any(String)]);
    const [type, { schema }] = Object.entries((response as Content).content)[0] ?? ['', {}];
    expect([name, String(headers['content-type'])]).toEqual([name, expect.stringContaining(type)]);
    if (schema)
      expect([name, validatorOf(schema)(body)]).toEqual([name, { ok: true, value: body }]);
    // None of these requests has a nonce, so no answer is proved; every other header is there.
    const described = Object.keys(response?.headers ?? {});
    const absent = described.filter((header) => headers[header.toLowerCase()] === undefined);
    const unproved = described.filter((header) => header === 'Portcullis-Proof');
    expect([name, status, absent]).toEqual([name, status, unproved]);
  }

  const plain = {
    subject: { type: 'user', id: 'alice' },
    action: { name: 'read' },
    resource: { type: 'todo', id: '1' },
  };
  const sep = {
    subject: { principal: 'user:alice@example.com', groups: ['tellers'] },
    capability: { type: 'tool', name: 'transfer' },
    action: 'execute',
  };
  const BODIES: Readonly<Record<string, readonly object[]>> = {
    'POST /access/v1/evaluation': [CALL, plain],
    'POST /access/v1/evaluations': [LIST, { ...plain, evaluations: [{}, {}] }, plain],
    'POST /v1/decision': [sep],
    'POST /v1/outcomes': [
      { evaluation_id: 'one', status: 'executed' },
      {
        outcomes: [{ evaluation_id: 'one', status: 'executed' }],
        unreported: [{ id: 'loss', count: 2, cause: 'full' }],
      },
    ],
    'POST /v1/evidence/redactions': [{ by: { subject: 'user:alice@example.com' } }],
  };

  test('[C-07] each route takes what the document says, and answers so', async () => {
    for (const { name, operation } of operations) {
      const bodies = name.startsWith('POST ') ? (BODIES[name] ?? []) : [undefined];
      expect([name, bodies.length > 0]).toEqual([name, true]);
      for (const body of bodies) {
        const takes = operation.requestBody?.content['application/json']?.schema;
        if (takes) expect(validatorOf(takes)(body)).toMatchObject({ ok: true });
        const sent = await ask(name, body);
        expect([name, sent.status]).toEqual([name, 200]);
        expectDescribed(name, sent);
      }
    }
  });

  test('each route refuses as the document says', async () => {
    for (const { name, operation } of operations) {
      const body = name.startsWith('POST ') ? {} : undefined;
      const refusals = [
        await ask(name, body, { origin: 'http://example.com' }),
        await ask(name, body, { host: 'elsewhere:1' }),
      ];
      expect(refusals.map(({ status }) => status)).toEqual([403, 400]);
      if (operation.security.length > 0)
        refusals.push(await ask(name, body, { authorization: '' }));
      if (body)
        refusals.push(await ask(name, []), await ask(name, { text: 'x'.repeat(9_000_000) }));
      for (const sent of refusals) expectDescribed(name, sent);
    }
  });

  test('the document is served to everybody', async () => {
    const { status, body } = await ask('GET /openapi.json', undefined, { authorization: '' });
    expect([status, body]).toEqual([200, document]);
  });
});
