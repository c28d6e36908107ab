/**
 * The seam in front of an HTTP entry of the SDK: reads the body once, decides on the body only, and
 * turns away what the entry would read in another way than the guard.
 */
import { JSON_LIMITS, parseJson, type JsonFault, type JsonResult } from '../../contract/json.ts';
import { deniedMethod, failure, invalidRequest, RPC } from '../answers.ts';
import { eraOf } from '../evaluation.ts';
import { readMessage, type Message, type Request as RpcRequest } from '../message.ts';
import { isEnforced } from '../methods.ts';
import type { Given } from './http_types.ts';

/** The message of a POST, and the body that it was read from. */
export interface Admitted {
  message: Message;
  body: unknown;
}

/** JSON-RPC codes: 2.0, section 5.1, and MCP 2026-07-28 for headers that differ from the body. */
const PARSE_ERROR = -32700;
const HEADER_MISMATCH = -32020;

/**
 * Admits the body of a POST: bytes as they came, or what another reader made of them. Yields the
 * response where it is turned away.
 */
export async function admit(
  request: Request,
  { parsedBody, source }: Given,
  size_bytes_max: number,
): Promise<Admitted | Response> {
  if (!isJson(request.headers.get('content-type'))) {
    return turnAway(415, failure(undefined, RPC.INVALID_REQUEST, 'The body must be JSON'));
  }
  const bytes = source ?? (request.body as AsyncIterable<Uint8Array> | null);
  const read =
    parsedBody === undefined
      ? await readBody(bytes, size_bytes_max)
      : ({ ok: true, value: parsedBody } as const);
  if (!read.ok) return refuseBody(read.fault);
  const message = readMessage(read.value);
  const refusal = refuseMessage(message, request.headers);
  return refusal ?? { message, body: read.value };
}

export function turnAway(status: number, body: object): Response {
  return Response.json(body, { status });
}

/** The media type alone counts: parameters may hold any text (RFC 9110, section 8.3.1). */
function isJson(header: string | null): boolean {
  return header?.split(';', 1)[0]?.trim().toLowerCase() === 'application/json';
}

async function readBody(
  source: AsyncIterable<Uint8Array> | null,
  size_bytes_max: number,
): Promise<JsonResult> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of source ?? []) {
    size += chunk.byteLength;
    if (size > size_bytes_max) return { ok: false, fault: { code: 'too_large', pointer: '' } };
    chunks.push(chunk);
  }
  return parseJson(Buffer.concat(chunks), { size_bytes_max, depth_max: JSON_LIMITS.depth_max });
}

function refuseBody({ code, pointer }: JsonFault): Response {
  const status = code === 'too_large' ? 413 : 400;
  return turnAway(status, failure(undefined, PARSE_ERROR, 'Parse error', { code, pointer }));
}

function refuseMessage(message: Message, headers: Headers): Response | undefined {
  if (message.kind === 'malformed') {
    return turnAway(400, invalidRequest(message.id, message.pointer));
  }
  if (message.kind === 'answer') return undefined;
  const differing = differingHeader(message, headers);
  if (differing !== undefined) {
    const id = message.kind === 'request' ? message.id : undefined;
    const data = { header: differing };
    return turnAway(400, failure(id, HEADER_MISMATCH, 'A header differs from the body', data));
  }
  if (message.kind === 'notification' || eraOf(message) === 'legacy') return undefined;
  const enforced = isEnforced(message.method, 'request', 'client_to_server', 'modern');
  return enforced ? undefined : turnAway(404, deniedMethod(message.id));
}

/** The mirrors of the body that others on the way may have decided on (MCP 2026-07-28). */
function differingHeader(
  { method, params }: Pick<RpcRequest, 'method' | 'params'>,
  headers: Headers,
): string | undefined {
  const told = headers.get('mcp-method');
  if (told !== null && told !== method) return 'Mcp-Method';
  const name = headers.get('mcp-name');
  const member = NAMED_BY[method];
  const named = member === undefined ? undefined : params[member];
  if (name !== null && named !== undefined && decodeHeader(name) !== named) return 'Mcp-Name';
  return undefined;
}

/** What `Mcp-Name` mirrors (MCP 2026-07-28, transports; and the tasks extension). */
const NAMED_BY: Readonly<Record<string, string>> = {
  'tools/call': 'name',
  'prompts/get': 'name',
  'resources/read': 'uri',
  'tasks/get': 'taskId',
  'tasks/update': 'taskId',
  'tasks/cancel': 'taskId',
};

const BASE64 = /^=\?base64\?([A-Za-z0-9+/]*={0,2})\?=$/;

function decodeHeader(value: string): string {
  const encoded = BASE64.exec(value)?.[1];
  return encoded === undefined ? value : Buffer.from(encoded, 'base64').toString('utf8');
}
