/** Marked secrets, and the whole way that a request takes, with everything kept that is written. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import { connect, createServer as createRelay, type AddressInfo, type Server } from 'node:net';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { once } from 'node:events';
import { activateBundle } from '../../../src/decision/activation.ts';
import { createDecisionCore } from '../../../src/decision/core.ts';
import type { DecisionCore } from '../../../src/decision/types.ts';
import { loadEngine } from '../../../src/engine/engine.ts';
import type { IdentitySource } from '../../../src/identity/types.ts';
import { createGuard } from '../../../src/pep/mcp/guard.ts';
import { startService } from '../../../src/pdp/service.ts';
import { createLogger } from '../../../src/telemetry/create_logger.ts';
import { remote } from '../../decision/remote/fixture.ts';
import { EVIDENCE, NO_CERTIFICATES, SETTINGS, tokenOf, tokensOf } from '../../pdp/fixture.ts';
import { foreignBundle } from '../../support/decisions.ts';
import { openLog, temporaryDirectory } from '../../support/evidence_log.ts';
import { LIMITS } from '../../support/policies.ts';
import { testParts } from './parts.ts';
import { buildServer, type Line, type ToolResult } from './servers.ts';

const RANDOM = { id: () => crypto.randomUUID() };
const CLOCK = { now_ms: () => Date.now() };

/** As it is, and as it is often written. */
export function spellings(secret: string): string[] {
  const bytes = Buffer.from(secret);
  return [
    secret,
    encodeURIComponent(secret),
    bytes.toString('hex'),
    bytes.toString('base64').replace(/=+$/, ''),
    bytes.toString('base64url'),
    createHash('sha256').update(JSON.stringify(secret)).digest('hex'),
    createHash('sha256').update(secret).digest('hex'),
  ];
}

export interface Way {
  /** Where the guarded server listens, and the decision service. */
  url: string;
  service_url: string;
  /** What was written and sent, by place. */
  everything(): Record<'to_service' | 'from_service' | 'logs' | 'evidence', string>;
  /** Resolves when the decision service was sent this. */
  sent(text: string): Promise<void>;
  /** The decision service goes away, with its evidence complete. */
  stopService(): Promise<void>;
}

export interface WayParts {
  rego: string;
  pointers: Record<string, string[]>;
  line: Line;
  identity: IdentitySource;
  authInfo: (request: IncomingMessage) => unknown;
  digest_key: string;
  tools: Record<string, () => ToolResult>;
  /** Stands before the core. */
  wrap?: (core: DecisionCore) => DecisionCore;
}

/** A guarded server over HTTP, a decision service behind a wire that is tapped, and evidence. */
export async function openWay(parts: WayParts, opened: AsyncDisposableStack): Promise<Way> {
  const logs = new PassThrough();
  const log = createLogger({ level: 'debug' }, logs);
  const directory = temporaryDirectory();
  const evidence = await openLog(directory, { log, settings: { record_bytes_max: 1_048_576 } });
  opened.defer(() => evidence.close());
  const metadata = { arguments: parts.pointers };
  const bundle = await foreignBundle(parts.rego, ['canary/result'], { metadata });
  const policy = await activateBundle(bundle, {
    ...{ loadEngine, limits: LIMITS, unsafe_allow_all: false, clock: CLOCK, log, evidence },
  });
  const core = createDecisionCore({
    evaluator: { current: () => policy, watch: () => () => undefined },
    evidence,
    clock: CLOCK,
    random: RANDOM,
    settings: {
      instance: 'one',
      sep_server: 'payments',
      batch_items_max: 100,
      batch_bytes_max: 1_048_576,
    },
  });
  const tap = await openTap(opened);
  const service = await startService({
    core: parts.wrap?.(core) ?? core,
    evidence: EVIDENCE,
    tokens: tokensOf(tokenOf(['decide', 'attest:actor'])),
    certificates: NO_CERTIFICATES,
    log,
    clock: CLOCK,
    settings: { ...SETTINGS, hosts: [tap.host] },
  });
  opened.defer(() => service.close());
  tap.leadTo(Number(new URL(service.addresses.url!).port));
  const url = await openEndpoint(parts, `http://${tap.host}`, log, opened);
  let written = '';
  logs.on('data', (chunk: Buffer) => (written += chunk.toString()));
  return {
    url,
    service_url: service.addresses.url!,
    everything: () => ({ ...tap.heard(), logs: written, evidence: contentOf(directory) }),
    sent: (text) => tap.until(text),
    stopService: () => service.close(),
  };
}

async function openEndpoint(
  { line, identity, authInfo, digest_key, tools }: WayParts,
  decision_point: string,
  log: ReturnType<typeof createLogger>,
  opened: AsyncDisposableStack,
): Promise<string> {
  const point = remote({ url: decision_point }, { timeout_ms: 5_000 });
  opened.defer(() => point.close());
  const guard = createGuard({
    ...testParts({}, { decision_timeout_ms: 5_000 }, { identity }),
    decisionPoint: point,
    log,
    random: RANDOM,
    digestKey: { id: 'k1', secret: Buffer.from(digest_key) },
  });
  const handler = guard.http(() => buildServer(line, { calls: [] }, tools));
  opened.defer(() => handler.close());
  const server = createServer((request, response) => {
    Object.assign(request, { auth: authInfo(request) });
    void handler(request, response);
  });
  opened.defer(() => server.closeAllConnections());
  return `http://${await listening(server, opened)}/mcp`;
}

/** Passes bytes on and keeps them. */
async function openTap(opened: AsyncDisposableStack) {
  const heard = { to_service: '', from_service: '' };
  let port = 0;
  let wake = () => {};
  const relay = createRelay((near) => {
    const far = connect(port, '127.0.0.1');
    near.on('data', (chunk) => {
      heard.to_service += chunk.toString();
      wake();
    });
    far.on('data', (chunk) => (heard.from_service += chunk.toString()));
    near.pipe(far).pipe(near);
    for (const [one, other] of [[near, far] as const, [far, near] as const]) {
      one.on('error', () => other.destroy());
      one.on('close', () => other.destroy());
    }
    opened.defer(() => void near.destroy());
  });
  const host = await listening(relay, opened);
  const until = async (text: string) => {
    while (!heard.to_service.includes(text)) await new Promise<void>((resolve) => (wake = resolve));
  };
  return { host, until, heard: () => heard, leadTo: (to: number) => (port = to) };
}

async function listening(server: Server, opened: AsyncDisposableStack): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  opened.defer(() => void server.close());
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function contentOf(directory: string): string {
  const files = readdirSync(directory, { recursive: true, withFileTypes: true });
  return files
    .filter((file) => file.isFile())
    .map((file) => readFileSync(join(file.parentPath, file.name), 'latin1'))
    .join('\n');
}
