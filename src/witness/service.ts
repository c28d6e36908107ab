/** A witness over HTTP (C2SP tlog-witness): `add-checkpoint`, and what was cosigned, to read. */
import { hash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Logger } from '../telemetry/logger.ts';
import { faultOf, Refuted, type FaultCode } from '../verify/fault.ts';
import { parseSubmission, SUBMISSION_BYTES_MAX } from './submission.ts';
import type { Reply, Witness } from './witness.ts';

const CONNECTIONS_MAX = 256;
const HEADERS_TIMEOUT_MS = 5000;
const REQUEST_TIMEOUT_MS = 10_000;

const TEXT = 'text/plain; charset=utf-8';

interface Answer {
  status: number;
  type?: string;
  body: string;
}

/** As the specification has them; a code that is not here is 400. */
const STATUS: Partial<Readonly<Record<FaultCode, number>>> = {
  LOG_UNKNOWN: 404,
  LOG_SIGNATURE_ABSENT: 403,
  SIGNATURE_INVALID: 403,
  ROOT_FALSE: 422,
  LOG_FORKED: 422,
  CONSISTENCY_UNPROVED: 422,
  TOO_LARGE: 413,
};

const UNKNOWN: Answer = { status: 404, body: 'there is nothing here\n' };

/** A server that does not listen yet. */
export function createWitnessServer(witness: Witness, log: Logger): Server {
  const server = createServer(
    { headersTimeout: HEADERS_TIMEOUT_MS, requestTimeout: REQUEST_TIMEOUT_MS },
    (request, response) => {
      void answer(witness, request).then(
        (found) => send(response, found),
        (error: unknown) => {
          log.error('a request was not answered', { error: (error as Error).message });
          send(response, {
            status: 500,
            body: 'nothing was cosigned; see the log of the witness\n',
          });
        },
      );
    },
  );
  server.maxConnections = CONNECTIONS_MAX;
  return server;
}

async function answer(witness: Witness, request: IncomingMessage): Promise<Answer> {
  const { method, url = '' } = request;
  if (url === '/add-checkpoint') {
    if (method !== 'POST') return { status: 405, body: 'POST a checkpoint\n' };
    return addCheckpoint(witness, request);
  }
  const [, origin_hash] = /^\/([0-9a-f]{64})\/checkpoint$/.exec(url) ?? [];
  if (method !== 'GET' || origin_hash === undefined) return UNKNOWN;
  const key = witness.logs.find(({ name }) => hash('sha256', name, 'hex') === origin_hash);
  const latest = key && witness.latest(key.name);
  return latest ? { status: 200, body: latest.note } : UNKNOWN;
}

async function addCheckpoint(witness: Witness, request: IncomingMessage): Promise<Answer> {
  try {
    const submission = parseSubmission(await readBody(request));
    return answerOf(witness.add(submission));
  } catch (error) {
    return answerOf({ kind: 'refused', fault: faultOf(error) });
  }
}

function answerOf(reply: Reply): Answer {
  if (reply.kind === 'cosigned') return { status: 200, body: reply.line };
  if (reply.kind === 'conflict') {
    return { status: 409, type: 'text/x.tlog.size', body: `${reply.size}\n` };
  }
  const { code, detail } = reply.fault;
  return { status: STATUS[code] ?? 400, body: `${code}: ${detail}\n` };
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size_bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size_bytes += chunk.length;
    if (size_bytes > SUBMISSION_BYTES_MAX) throw new Refuted('TOO_LARGE');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function send(response: ServerResponse, { status, type = TEXT, body }: Answer): void {
  // What is left of a body that was not read must not be taken for another request.
  const headers = { 'Content-Type': type, ...(status === 413 ? { Connection: 'close' } : {}) };
  response.writeHead(status, headers).end(body);
}
