/** What an HTTP request must be before anything is made of it. */
import type { IncomingHttpHeaders } from 'node:http';
import { failure, RPC } from '../../pep/answers.ts';
import { eraOf } from '../../pep/evaluation.ts';
import { isObject, type Message, type Request as RpcRequest } from '../../pep/message.ts';

/** Headers of which node:http keeps the first where another reader may take the last. */
const SINGLE: ReadonlySet<string> = new Set([
  'authorization',
  'content-type',
  'host',
  'mcp-method',
  'mcp-name',
  'mcp-protocol-version',
  'mcp-session-id',
  'origin',
]);

export interface Head {
  headers: IncomingHttpHeaders;
  rawHeaders: readonly string[];
}

/**
 * A web page must not reach us under a name of its own (DNS rebinding): both Host and Origin, where
 * there is one, are names that this listener is known by. Undefined where nothing is wrong.
 */
export function headFault(
  { headers, rawHeaders }: Head,
  hosts: ReadonlySet<string>,
): string | undefined {
  if (repeats(rawHeaders)) return 'A header that counts once is there twice';
  if (!hosts.has(headers.host?.toLowerCase() ?? '')) return 'The host is not served here';
  const { origin } = headers;
  if (origin !== undefined && !hosts.has(hostOf(origin))) return 'The origin is not served here';
  return undefined;
}

function repeats(raw: readonly string[]): boolean {
  const names = raw.filter((_, i) => i % 2 === 0).map((name) => name.toLowerCase());
  const single = names.filter((name) => SINGLE.has(name));
  return new Set(single).size < single.length;
}

function hostOf(origin: string): string {
  return /^https?:\/\/([^/?#@]+)$/i.exec(origin)?.[1]?.toLowerCase() ?? '';
}

const ACCEPTED: Readonly<Record<string, readonly string[]>> = {
  POST: ['application/json', 'text/event-stream'],
  GET: ['text/event-stream'],
};

/** Whether the client takes what it may be answered with (MCP, transports). */
export function acceptsAnswer(method: string, headers: Headers): boolean {
  const accepted = (headers.get('accept') ?? '').split(',').map((each) => {
    const [type = ''] = each.split(';', 1);
    return type.trim().toLowerCase();
  });
  if (accepted.includes('*/*')) return true;
  return (ACCEPTED[method] ?? []).every(
    (type) => accepted.includes(type) || accepted.includes(type.replace(/\/.*/, '/*')),
  );
}

/** The revision that a guard knows of the modern era. */
const MODERN = '2026-07-28';
const LEGACY: readonly string[] = ['2024-11-05', '2025-03-26', '2025-06-18', '2025-11-25'];

/** MCP 2026-07-28, basic/transports. */
const HEADER_MISMATCH = -32020;
const UNSUPPORTED_VERSION = -32022;

const VERSION = 'io.modelcontextprotocol/protocolVersion';

/** The member that `Mcp-Name` mirrors, of the methods that have one. */
const NAMED: Readonly<Record<string, string>> = {
  'tools/call': 'name',
  'prompts/get': 'name',
  'resources/read': 'uri',
  'tasks/get': 'taskId',
  'tasks/update': 'taskId',
  'tasks/cancel': 'taskId',
};

/**
 * Headers of a modern message must be there and say what the body says, since others on the way may
 * have decided on them. What both say otherwise is not known here. Undefined where all is well.
 */
export function mirrorFault(message: Message, headers: Headers): object | undefined {
  const told = headers.get('mcp-protocol-version');
  if (message.kind !== 'request') return legacyFault(undefined, told);
  const { id, params } = message;
  if (eraOf(message) === 'legacy') return told === MODERN ? noEnvelope(id) : legacyFault(id, told);
  const meta = params['_meta'] as Record<string, unknown>;
  const version = meta[VERSION];
  if (told !== version) return mismatch(id, 'MCP-Protocol-Version');
  if (version !== MODERN) {
    // What `server/discover` may name as well: the revisions before it are not asked for so.
    const data = { supported: [MODERN], requested: version };
    return failure(id, UNSUPPORTED_VERSION, 'Unsupported protocol version', data);
  }
  const mirrored = mirrorsOf(message);
  const differing = Object.entries(mirrored).find(
    ([name, value]) => decodeHeader(headers.get(name)) !== value,
  );
  return differing && mismatch(id, differing[0]);
}

function legacyFault(id: RpcRequest['id'] | undefined, told: string | null): object | undefined {
  if (told === null || LEGACY.includes(told) || told === MODERN) return undefined;
  const data = { supported: [MODERN, ...LEGACY], requested: told };
  return failure(id, UNSUPPORTED_VERSION, 'Unsupported protocol version', data);
}

function noEnvelope(id: RpcRequest['id']): object {
  const data = { pointer: `/params/_meta/${VERSION.replace('/', '~1')}` };
  return failure(id, RPC.INVALID_PARAMS, 'The envelope of the revision is missing', data);
}

function mismatch(id: RpcRequest['id'], header: string): object {
  return failure(id, HEADER_MISMATCH, 'A header differs from the body', { header });
}

/** The headers of a modern message that say again what its body says, before they are encoded. */
function mirrorsOf({
  method,
  params,
}: Pick<RpcRequest, 'method' | 'params'>): Record<string, string> {
  const name = params[NAMED[method] ?? ''];
  return { 'Mcp-Method': method, ...(typeof name === 'string' && { 'Mcp-Name': name }) };
}

/** The headers for a message that is sent on; made of its body. */
export function headersFor(message: object): Record<string, string> {
  const { method, params } = message as { method?: unknown; params?: unknown };
  if (typeof method !== 'string' || !isObject(params)) return {};
  if (eraOf({ params }) === 'legacy') return {};
  const version = (params['_meta'] as Record<string, unknown>)[VERSION];
  const mirrors = Object.entries(mirrorsOf({ method, params }));
  return {
    'MCP-Protocol-Version': String(version),
    ...Object.fromEntries(mirrors.map(([name, value]) => [name, encodeHeader(value)])),
  };
}

const PLAIN = /^(?! )[\x20-\x7e]*(?<! )$/;
const BASE64 = /^=\?base64\?([A-Za-z0-9+/]*={0,2})\?=$/;

function encodeHeader(value: string): string {
  if (PLAIN.test(value) && !BASE64.test(value)) return value;
  return `=?base64?${Buffer.from(value).toString('base64')}?=`;
}

function decodeHeader(value: string | null): string | null {
  const encoded = value === null ? undefined : BASE64.exec(value)?.[1];
  return encoded === undefined ? value : Buffer.from(encoded, 'base64').toString('utf8');
}
