/**
 * The OpenAPI 3.1 document of the decision service, made from the table of routes, the JSON Schemas
 * of the contract and the table of errors. `npm run generate` writes it to src/pdp.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROOF_HEADERS } from '../src/contract/proof.ts';
import { ERRORS, type ErrorCode } from '../src/errors.ts';
import { FIELD_NAMES } from '../src/evidence/index/fields.ts';
import { STATUS } from '../src/pdp/edge.ts';
import type { Route } from '../src/pdp/exchange.ts';
import { ROUTES } from '../src/pdp/routes.ts';
import { OPERATIONS, type Operation, type Shape } from './operations.ts';

type Schema = Record<string, unknown> & { title: string; $defs?: Record<string, object> };

const TOP = join(import.meta.dirname, '..');

const DESCRIPTION = `Decisions for MCP servers and whoever else asks. \
On the Unix socket the routes are the same and no credential is needed: its folder is open to its \
owner only. Over TCP the \`Host\` must be one that the service is known by, and a request with an \
\`Origin\` is refused. A path that is not listed is answered 404, another method 405, each with an \
ErrorResponse; GET routes answer HEAD. What is no HTTP/1.1 within the limits of headers and time \
is answered by its status alone.`;

const SIGNED = `For a guard, which never sends its token: \`Authorization: Portcullis ID.PROOF\`, \
where PROOF = base64url(client_key XOR HMAC-SHA-256(stored_key, "portcullis request" LF nonce \
LF time LF digest)), client_key = HMAC-SHA-256(token, "portcullis client"), stored_key = \
SHA-256(client_key), digest = hex(SHA-256(METHOD SP target LF body)), and nonce and time stand \
in the \
headers \
\`Portcullis-Nonce\` and \`Portcullis-Time\`. A request is taken once.`;

const PROOF = `base64url(HMAC-SHA-256(server_key, "portcullis answer" LF nonce LF digest LF \
status LF body)) with server_key = HMAC-SHA-256(token, "portcullis server"), where the request \
carried a credential and a nonce.`;

/** Refusals beside those that `STATUS` gives: by the edge, and whatever is not known. */
const EDGE_ERRORS: readonly { code: ErrorCode; status: number; of: (route: Route) => boolean }[] = [
  { code: 'WIRE_INVALID', status: 403, of: () => true },
  { code: 'UNAUTHENTICATED', status: 401, of: () => true },
  { code: 'SIGNATURE_REFUSED', status: 401, of: () => true },
  { code: 'WIRE_INVALID', status: 404, of: mayBeAbsent },
  { code: 'INTERNAL', status: 500, of: () => true },
];

/** Codes that no route without a body, or without a scope, can answer. */
const ONLY: Partial<Readonly<Record<ErrorCode, (route: Route) => boolean>>> = {
  REQUEST_INVALID: (route) => isPost(route) || route.path === '/v1/evidence/records',
  REQUEST_TOO_LARGE: isPost,
  POLICY_ABSENT: isPost,
  EVIDENCE_UNWRITABLE: (route) => isPost(route) || route.scope === 'evidence',
  OVERLOADED: isScoped,
  UNAUTHENTICATED: isScoped,
};

function isPost({ method }: Route): boolean {
  return method === 'POST';
}

function mayBeAbsent(route: Route): boolean {
  return describe(route).may_be_absent === true;
}

function isScoped({ scope }: Route): boolean {
  return scope !== null;
}

export function openApiDocument(): object {
  const { version } = JSON.parse(readFileSync(join(TOP, 'package.json'), 'utf8')) as Schema;
  const license = { name: 'Apache 2.0', identifier: 'Apache-2.0' };
  const info = { title: 'Portcullis', version, description: DESCRIPTION, license };
  const paths: Record<string, Record<string, object>> = {};
  for (const route of ROUTES) {
    const path = (paths[route.path] ??= {});
    path[route.method.toLowerCase()] = operationOf(route, describe(route));
  }
  return {
    openapi: '3.1.1',
    info,
    servers: [{ url: '/' }],
    paths,
    components: {
      schemas: componentSchemas(),
      parameters: PARAMETERS,
      headers: HEADERS,
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', description: 'A token of who calls.' },
        signed: { type: 'http', scheme: 'Portcullis', description: SIGNED },
      },
    },
  };
}

function describe({ method, path }: Route): Operation {
  const operation = OPERATIONS[`${method} ${path}`];
  if (operation) return operation;
  throw new Error(`scripts/operations.ts says nothing of ${method} ${path}`);
}

const PARAMETERS = {
  request_id: {
    name: 'X-Request-ID',
    in: 'header',
    description: 'Repeated in the answer.',
    schema: { type: 'string', pattern: '^[!-~]{1,128}$' },
  },
  nonce: {
    name: titled(PROOF_HEADERS.nonce),
    in: 'header',
    description: 'Asks for a proof of the answer; of a signed request, a part of it.',
    schema: { type: 'string', pattern: '^[A-Za-z0-9_-]{16,128}$' },
  },
  time: {
    name: titled(PROOF_HEADERS.time),
    in: 'header',
    description: 'When a signed request was signed, in UTC.',
    schema: { type: 'string', pattern: '^\\d{4}-\\d\\d-\\d\\dT.*Z$' },
  },
  policy_tenant: {
    name: 'tenant',
    in: 'query',
    description: 'Of the policy that decides for this tenant, where each has its own.',
    schema: { type: 'string' },
  },
  ...Object.fromEntries(FIELD_NAMES.map((name) => [name, valuesParameter(name)])),
  from: timeParameter('from', 'The first time that counts.'),
  to: timeParameter('to', 'The first time that counts no more.'),
  order: {
    name: 'order',
    in: 'query',
    schema: { enum: ['newest', 'oldest'], default: 'newest' },
  },
  limit: {
    name: 'limit',
    in: 'query',
    description: 'Most records of the page.',
    schema: { type: 'integer', minimum: 1, default: 100 },
  },
  cursor: {
    name: 'cursor',
    in: 'query',
    description: 'As the page before gave it, to the same filters and order.',
    schema: { type: 'string' },
  },
  path: pathParameter('path', '`/` in it stands for itself.'),
  index: pathParameter('index', 'From 0.'),
  record: pathParameter('record', 'An index or an evaluation id.'),
};

function valuesParameter(name: string): object {
  const schema = { type: 'array', items: { type: 'string' } };
  return { name, in: 'query', explode: true, schema };
}

function timeParameter(name: string, description: string): object {
  return { name, in: 'query', description, schema: { type: 'string', format: 'date-time' } };
}

function pathParameter(name: string, description: string): object {
  return { name, in: 'path', required: true, description, schema: { type: 'string' } };
}

const HEADERS = {
  evaluation_id: {
    description: 'Names the decision in evidence; the entries of a batch are `ID#INDEX`.',
    schema: { type: 'string' },
  },
  proof: { description: PROOF, schema: { type: 'string', pattern: '^[A-Za-z0-9_-]{43}$' } },
  retry_after: { description: 'In seconds.', schema: { type: 'integer' } },
};

function titled(header: string): string {
  return header.replaceAll(/(?:^|-)[a-z]/g, (letter) => letter.toUpperCase());
}

function operationOf(route: Route, operation: Operation): object {
  const named = route.scope === null ? ['request_id'] : ['request_id', 'nonce', 'time'];
  const parameters = [...named, ...(operation.parameters ?? [])];
  const { id, summary, description, request } = operation;
  return {
    operationId: id,
    summary,
    ...(description !== undefined && { description }),
    // The names beside a scheme are the scopes that the caller must have.
    security: route.scope === null ? [] : [{ bearer: [route.scope] }, { signed: [route.scope] }],
    parameters: parameters.map((name) => ({ $ref: `#/components/parameters/${name}` })),
    ...(request && { requestBody: { required: true, content: contentOf(request) } }),
    responses: responsesOf(route, operation),
  };
}

function responsesOf(route: Route, operation: Operation): object {
  const { response, evaluates, other } = operation;
  const answered = {
    content: contentOf(response),
    ...(route.scope !== null && {
      headers: {
        ...(evaluates && { 'Portcullis-Evaluation-Id': headerAt('evaluation_id') }),
        [titled(PROOF_HEADERS.proof)]: headerAt('proof'),
      },
    }),
  };
  const responses: Record<number, object> = {
    200: { description: 'The answer.', ...answered },
    ...(other && { [other.status]: { description: other.description, ...answered } }),
  };
  for (const [status, codes] of refusalsOf(route)) responses[status] ??= errorOf(status, codes);
  return responses;
}

function headerAt(name: keyof typeof HEADERS): object {
  return { $ref: `#/components/headers/${name}` };
}

/** The codes of each status that refuses a request to the route. */
function refusalsOf(route: Route): Map<number, ErrorCode[]> {
  const thrown = Object.entries(STATUS).map(([code, status]) => {
    const known = code as ErrorCode;
    return { code: known, status, of: ONLY[known] ?? (() => true) };
  });
  const statuses = new Map<number, ErrorCode[]>();
  for (const { code, status, of } of [...thrown, ...EDGE_ERRORS]) {
    if (of(route)) statuses.set(status, [...(statuses.get(status) ?? []), code]);
  }
  return statuses;
}

function errorOf(status: number, codes: readonly ErrorCode[]): object {
  const meanings = codes.map((code) => `\`${code}\`: ${ERRORS[code].meaning}.`);
  return {
    description: meanings.join(' '),
    content: contentOf({ schemas: ['error_response'] }),
    ...(status === 503 && { headers: { 'Retry-After': headerAt('retry_after') } }),
  };
}

function contentOf(shape: Shape): object {
  if ('media_type' in shape) return { [shape.media_type]: {} };
  return { 'application/json': { schema: schemaOf(shape) } };
}

function schemaOf(shape: Exclude<Shape, { media_type: string }>): object {
  if ('inline' in shape) return shape.inline;
  const found = shape.schemas.map((name) => ({
    $ref: `#/components/schemas/${readSchema(name).title}`,
  }));
  return found.length === 1 ? (found[0] as object) : { anyOf: found };
}

/**
 * The schemas that operations name, and their definitions beside them: those of one name are equal
 * in all schemas, which a test of the contract holds.
 */
function componentSchemas(): object {
  const shapes = Object.values(OPERATIONS).flatMap(({ request, response }) => [request, response]);
  const named = shapes.flatMap((shape) => (shape && 'schemas' in shape ? shape.schemas : []));
  const schemas: Record<string, object> = {};
  for (const name of new Set([...named, 'error_response'])) {
    const { $schema: _, $id: _id, $defs = {}, ...schema } = readSchema(name);
    Object.assign(schemas, { [schema.title]: schema }, $defs);
  }
  const sorted = Object.entries(schemas).toSorted(([one], [other]) => (one < other ? -1 : 1));
  const text = JSON.stringify(Object.fromEntries(sorted));
  return JSON.parse(text.replaceAll('"#/$defs/', '"#/components/schemas/')) as object;
}

function readSchema(name: string): Schema {
  const file = join(TOP, 'src/contract/schemas', `${name}.schema.json`);
  return JSON.parse(readFileSync(file, 'utf8')) as Schema;
}
