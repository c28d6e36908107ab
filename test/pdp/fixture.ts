/** What the tests of the service share: a core that decides by one rule, and a client of bytes. */
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, type Dispatcher } from 'undici';
import type { Clock } from '../../src/contract/ambient.ts';
import type { Status } from '../../src/contract/types.gen.ts';
import type { Caller, DecisionCore, Scope } from '../../src/decision/types.ts';
import { keysOf, type HeldToken } from '../../src/contract/proof.ts';
import type { CallerToken, TokenSource } from '../../src/pdp/authentication.ts';
import type { CertificateCallers } from '../../src/pdp/certificate_callers.ts';
import type { EvidenceReading } from '../../src/pdp/exchange.ts';
import { startService, type Service, type ServiceSettings } from '../../src/pdp/service.ts';
import type { LogFields, Logger } from '../../src/telemetry/logger.ts';

export const TOKEN = 'a-token-of-the-tests-0123456789abcdef';
export const DIGEST = `sha256:${'0'.repeat(64)}`;

export const READY: Status = {
  ready: true,
  policy: { revision: 'r1', digest: DIGEST },
  arguments_projection: { digest: DIGEST, pointers: {} },
  obligations: ['mask_fields'],
};

export const ALLOWED = {
  decision: true,
  context: {
    outcome: 'allow',
    visible: true,
    reason_code: 'ALLOWED',
    constraints: {},
    obligations: [],
    evaluation_id: 'evaluation-1',
    policy: { revision: 'r1', digest: DIGEST },
  },
};

/** Allows everything it is asked and keeps what it was asked; tests replace single methods. */
export interface RecordingCore extends DecisionCore {
  asked: { body: unknown; caller: Caller }[];
}

export function recordingCore(replaced: Partial<DecisionCore> = {}): RecordingCore {
  const asked: RecordingCore['asked'] = [];
  const answer = (result: (body: unknown) => object) => async (body: unknown, caller: Caller) => {
    asked.push({ body, caller });
    return { body: result(body), evaluation_id: 'evaluation-1' };
  };
  return {
    asked,
    evaluation: answer(() => ALLOWED),
    evaluations: answer((body) => ({
      evaluations: (body as { evaluations: unknown[] }).evaluations.map(() => ({ decision: true })),
    })),
    sepDecision: answer(() => ({ decision: 'allow' })),
    outcome: async (body, caller) => {
      asked.push({ body, caller });
      return { recorded: 1, repeated: 0 };
    },
    status: () => READY,
    watch: () => () => {},
    ...replaced,
  };
}

export interface Line {
  level: string;
  message: string;
  fields: LogFields | undefined;
}

export function recordingLog(): Logger & { lines: Line[] } {
  const lines: Line[] = [];
  const write = (level: string) => (message: string, fields?: LogFields) => {
    lines.push({ level, message, fields });
  };
  const log: Logger = {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    child: () => log,
  };
  return Object.assign(log, { lines });
}

export function tokenOf(
  scopes: readonly Scope[],
  id = 'caller',
  token = TOKEN,
): CallerToken & HeldToken {
  return { id, scopes, ...keysOf(token) };
}

export const NO_CERTIFICATES: CertificateCallers = { find: () => undefined };

export function tokensOf(...tokens: CallerToken[]): TokenSource {
  return { current: () => tokens };
}

export const SETTINGS: ServiceSettings = {
  listen: '127.0.0.1:0',
  socket: null,
  hosts: [],
  tls: null,
  header_bytes_max: 16_384,
  body_bytes_max: 4_096,
  signature_age_seconds_max: 60,
  signed_requests_max: 1_000,
  connections_max: 64,
  requests_in_flight_max: 64,
  evidence_requests_in_flight_max: 64,
  request_timeout_ms: 2_000,
  idle_timeout_ms: 30_000,
  drain_timeout_ms: 2_000,
};

/** One record, and no tile. */
export const EVIDENCE: EvidenceReading = {
  tree: {
    size: 1,
    checkpoint: () => 'a checkpoint\n',
    sign: async () => 'a checkpoint\n',
    tile: async () => new Uint8Array(32),
    entries: async () => ({ bytes: new Uint8Array(2) }),
    inclusionProof: async () => [],
    consistencyProof: async () => [],
    receiptOf: async () => 'a receipt\n',
  },
  records: {
    page: async () => Buffer.from('{"records":[],"next":null}'),
    record: async () => Buffer.from('{}'),
    find: async () => 0,
  },
  redactions: { redact: async () => ({ index: 0, records: 0 }) },
  page_records_max: 1000,
  page_bytes_max: 1_048_576,
};

export interface Started extends Service {
  url: string;
  port: number;
  log: ReturnType<typeof recordingLog>;
}

export async function start(
  core: DecisionCore,
  settings: Partial<ServiceSettings> = {},
  tokens: TokenSource = tokensOf(tokenOf(['decide'])),
  clock: Clock = { now_ms: () => Date.now() },
  certificates: CertificateCallers = NO_CERTIFICATES,
  evidence: EvidenceReading = EVIDENCE,
): Promise<Started> {
  const log = recordingLog();
  const service = await startService({
    core,
    evidence,
    tokens,
    certificates,
    clock,
    log,
    settings: { ...SETTINGS, ...settings },
  });
  const url = service.addresses.url ?? '';
  return { ...service, url, port: Number(url.split(':').at(-1)), log };
}

/** A new directory that only we can use. */
export function privateFolder(): { path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'portcullis-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

export interface Sent {
  status: number;
  headers: Dispatcher.ResponseData['headers'];
  body: unknown;
}

export async function send(
  url: string,
  path: string,
  options: {
    method?: 'GET' | 'POST' | 'PUT' | 'HEAD' | 'OPTIONS';
    headers?: Record<string, string>;
    body?: string | Uint8Array;
    socketPath?: string;
  } = {},
): Promise<Sent> {
  const { socketPath, method = 'POST', headers = {}, body } = options;
  const client = new Client(url, socketPath === undefined ? {} : { socketPath });
  try {
    const answer = await client.request({
      path,
      method,
      headers: {
        authorization: `Bearer ${TOKEN}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body }),
    });
    const text = await answer.body.text();
    const isJson = answer.headers['content-type'] === 'application/json';
    const parsed: unknown = text === '' ? undefined : isJson ? JSON.parse(text) : text;
    return { status: answer.statusCode, headers: answer.headers, body: parsed };
  } finally {
    await client.destroy();
  }
}

/** Writes bytes to a port and gives back all that comes until the end of the connection. */
export function sendRaw(port: number, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('close', () => resolve(Buffer.concat(chunks).toString()));
    socket.on('error', reject);
  });
}
