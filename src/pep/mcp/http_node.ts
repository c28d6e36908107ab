/** Between Node's HTTP messages and the web's, which both SDK lines speak. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { JSON_LIMITS, parseJson } from '../../contract/json.ts';
import { connectionFactsOf } from '../../identity/connection_facts.ts';
import type { ConnectionFacts } from '../../identity/types.ts';

/** What a host put on a request before the guard: its authentication, and a body that it read. */
interface HostRequest extends IncomingMessage {
  auth?: unknown;
  body?: unknown;
  originalUrl?: string;
}

export interface WebRequest {
  request: Request;
  authInfo: unknown;
  connection: ConnectionFacts;
  /** The body as bytes; undefined where it was read before. */
  source: AsyncIterable<Uint8Array> | undefined;
  /** What the host made of the body; undefined where nobody has read it yet. */
  parsedBody: unknown;
}

/** Undefined where the web has no such request: another method, no URL, or one with credentials. */
export function toWebRequest(
  req: HostRequest,
  signal: AbortSignal,
  body_bytes_max: number,
): WebRequest | undefined {
  const request = headOf(req, signal);
  if (request === undefined) return undefined;
  const unread = request.method === 'POST' && !req.readableDidRead;
  // A body that is not read to its end must not take the connection, and the answer, with it.
  const source = unread ? req.iterator({ destroyOnReturn: false }) : undefined;
  return {
    request,
    authInfo: req.auth,
    connection: connectionFactsOf(req.socket),
    source: source as AsyncIterable<Uint8Array> | undefined,
    parsedBody: unread ? undefined : readBefore(req.body, body_bytes_max),
  };
}

function headOf(req: HostRequest, signal: AbortSignal): Request | undefined {
  const { host = 'localhost', ':authority': authority = host } = req.headers;
  try {
    const url = new URL(req.originalUrl ?? req.url ?? '/', `http://${authority as string}`);
    const headers = new Headers();
    for (const [name, value] of Object.entries(req.headers)) {
      // HTTP/2 says its request line in such members (RFC 9113, section 8.3).
      if (name.startsWith(':')) continue;
      // Node keeps the first of several tokens, where another reader may take the last.
      const all = name === 'authorization' ? req.headersDistinct?.[name] : undefined;
      for (const one of all ?? [value ?? []].flat()) headers.append(name, one);
    }
    return new Request(url, { method: req.method ?? 'GET', headers, signal });
  } catch {
    return undefined;
  }
}

/** A body that the host took as text or bytes goes through the same gate as one that it left. */
function readBefore(body: unknown, size_bytes_max: number): unknown {
  if (typeof body !== 'string' && !(body instanceof Uint8Array)) return body ?? null;
  const parsed = parseJson(body, { ...JSON_LIMITS, size_bytes_max });
  return parsed.ok ? parsed.value : null;
}

/** Sends a response; a client that goes away cancels its body. */
export async function sendWebResponse(response: Response, res: ServerResponse): Promise<void> {
  res.statusCode = response.status;
  for (const [name, value] of response.headers) res.setHeader(name, value);
  if (response.body === null) {
    res.end();
    return;
  }
  res.flushHeaders();
  const reader = response.body.getReader();
  const stop = () => {
    reader.cancel().catch(() => undefined);
  };
  // A client may be gone before there is anything to send.
  if (res.closed) stop();
  res.once('close', stop);
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      if (!res.write(next.value)) await drained(res);
    }
  } finally {
    res.off('close', stop);
    res.end();
  }
}

function drained(res: ServerResponse): Promise<unknown> {
  return new Promise((resolve) => res.once('drain', resolve).once('close', resolve));
}
