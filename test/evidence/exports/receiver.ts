/** A receiver on HTTP that keeps what it took, and misbehaves when told. */
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';

/** What was parsed from JSON: the tests know its shape. */
type Json = ReturnType<typeof JSON.parse>;

export interface Posted {
  path: string;
  headers: IncomingHttpHeaders;
  body: Json;
}

/** Answers in the receiver's place; true where it did, false to take the batch as usual. */
export type Misbehave = (response: ServerResponse, posted: Posted) => boolean;

export interface Receiver {
  url: string;
  /** All that came, in order. */
  posted: Posted[];
  /** What was taken. */
  taken: Posted[];
  act(misbehave: Misbehave | undefined): void;
  /** Resolves when it holds for the receiver, at once or after a post. */
  until(holds: () => boolean): Promise<void>;
  /** Nobody listens any more; what is open is cut. */
  away(): Promise<void>;
  /** It listens again, on the same port. */
  back(): Promise<void>;
}

interface ReceiverOptions {
  answer?: string;
  tls?: { cert: string; key: string };
}

/** Takes everything; `answer` is the body of its 200, `tls` its certificate. */
export async function openReceiver({
  answer = '{}',
  tls,
}: ReceiverOptions = {}): Promise<Receiver> {
  const posted: Posted[] = [];
  const taken: Posted[] = [];
  let misbehave: Misbehave | undefined;
  let waiting: { holds: () => boolean; resolve: () => void }[] = [];
  const look = (): void => {
    for (const { holds, resolve } of waiting) if (holds()) resolve();
    waiting = waiting.filter(({ holds }) => !holds());
  };
  const serve = (request: IncomingMessage, response: ServerResponse): void => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { url: path = '', headers } = request;
      const body: Json = JSON.parse(gunzipSync(Buffer.concat(chunks)).toString('utf8'));
      const post = { path, headers, body };
      posted.push(post);
      if (!misbehave?.(response, post)) {
        taken.push(post);
        response.writeHead(200, { 'content-type': 'application/json' }).end(answer);
      }
      look();
    });
    request.on('error', () => {});
  };
  const server = tls ? createSecureServer(tls, serve) : createServer(serve);
  server.on('tlsClientError', () => {});
  const port = await listen(server, 0);
  return {
    url: `${tls ? 'https' : 'http'}://127.0.0.1:${port}`,
    posted,
    taken,
    act(next) {
      misbehave = next;
    },
    until(holds) {
      if (holds()) return Promise.resolve();
      return new Promise((resolve) => waiting.push({ holds, resolve }));
    },
    away: () => closeServer(server),
    async back() {
      await listen(server, port);
    },
  };
}

export function status(code: number, headers: Record<string, string> = {}): Misbehave {
  return (response) => {
    response.writeHead(code, headers).end('no');
    return true;
  };
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve) => {
    server.listen(port, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
