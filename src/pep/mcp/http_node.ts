/** Between Node's HTTP messages and the web's, which both SDK lines speak. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { parseJson } from '../../contract/json.ts';

/** What a host put on a request before the guard: its authentication, and a body that it read. */
interface HostRequest extends IncomingMessage {
  auth?: unknown;
  body?: unknown;
  originalUrl?: string;
}

export interface WebRequest {
  request: Request;
  authInfo: unknown;
  /** The body as bytes; undefined where it was read before. */
  source: AsyncIterable<Uint8Array> | undefined;
  /** What the host made of the body; undefined where nobody has read it yet. */
  parsedBody: unknown;
}

/** Undefined where the request line and Host make no URL. */
export function toWebRequest(req: HostRequest, signal: AbortSignal): WebRequest | undefined {
  const path = req.originalUrl ?? req.url ?? '/';
  const url = URL.parse(path, `http://${req.headers.host ?? 'localhost'}`);
  if (url === null) return undefined;
  const headers = new Headers();
  for (const [name, value] of Object.entries(req.headers)) {
    for (const one of [value ?? []].flat()) headers.append(name, one);
  }
  const method = req.method ?? 'GET';
  const unread = method === 'POST' && !req.readableDidRead;
  // A body that is not read to its end must not take the connection, and the answer, with it.
  const source = unread ? req.iterator({ destroyOnReturn: false }) : undefined;
  return {
    request: new Request(url, { method, headers, signal }),
    authInfo: req.auth,
    source: source as AsyncIterable<Uint8Array> | undefined,
    parsedBody: unread ? undefined : readBefore(req.body),
  };
}

/** A body that the host took as text or bytes goes through the same gate as one that it left. */
function readBefore(body: unknown): unknown {
  if (typeof body !== 'string' && !(body instanceof Uint8Array)) return body ?? null;
  const parsed = parseJson(body);
  return parsed.ok ? parsed.value : null;
}

/** Sends a response; a client that goes away cancels its body. */
export async function sendWebResponse(response: Response, res: ServerResponse): Promise<void> {
  res.statusCode = response.status;
  res.setHeaders(response.headers);
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
