/** Between Node's HTTP messages and the web's, which both SDK lines speak. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
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
  /** Undefined where nobody has read the body yet. */
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
  const body = unread ? { body: Readable.toWeb(req), duplex: 'half' } : {};
  const request = new Request(url, { method, headers, signal, ...body } as RequestInit);
  return { request, authInfo: req.auth, parsedBody: unread ? undefined : readBefore(req.body) };
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
      if (!res.write(next.value))
        await new Promise((resolve) => res.once('drain', resolve).once('close', resolve));
    }
  } finally {
    res.off('close', stop);
    res.end();
  }
}
