/**
 * The decision core over HTTP, on TCP and on a Unix socket.
 *
 * A request goes: node:http → `dispatch` below → `edge.ts` (host, origin, caller, body) → its
 * endpoint → the core. The two routes that carry the load, evaluation and evaluations, are found
 * here by one look into `HOT_ROUTES`; all others take express's router.
 */
import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from 'node:http';
import { Server as NetServer } from 'node:net';
import express from 'express';
import type { Clock } from '../contract/ambient.ts';
import { PortcullisError } from '../errors.ts';
import type { DecisionCore } from '../decision/types.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { TokenSource } from './authentication.ts';
import type { CertificateCallers } from './certificate_callers.ts';
import { createEdge, type Edge } from './edge.ts';
import type { EvidenceReading } from './exchange.ts';
import { listenSocket, listenTcp, loopbackHosts } from './listen.ts';
import { EVALUATION_PATH, EVALUATIONS_PATH, ROUTES } from './routes.ts';
import type { SignatureLimits } from './signed_requests.ts';
import { createTlsServer, type TlsFiles } from './tls.ts';
import type { Channel } from './wire.ts';

export interface ServiceSettings extends SignatureLimits {
  /** `host:port`, or null for no TCP. */
  listen: string | null;
  /** Path of the Unix socket, or null for none. Its folder is open to its owner only. */
  socket: string | null;
  /** Values of `Host` that are served beside the loopback names with the port. */
  hosts: readonly string[];
  /** Of the listener on TCP; null is HTTP without TLS. */
  tls: TlsFiles | null;
  /** Largest head of a request: its path, and the names and values of its headers. */
  header_bytes_max: number;
  body_bytes_max: number;
  connections_max: number;
  /** Requests that are decided at a time. */
  requests_in_flight_max: number;
  /** Requests that read evidence at a time. */
  evidence_requests_in_flight_max: number;
  /** Time in which a request must have arrived whole. */
  request_timeout_ms: number;
  /** Time after which a connection that stands still is closed. */
  idle_timeout_ms: number;
  /** Time that accepted requests get to finish when the service closes. */
  drain_timeout_ms: number;
}

export interface ServiceParts {
  core: DecisionCore;
  evidence: EvidenceReading;
  tokens: TokenSource;
  certificates: CertificateCallers;
  clock: Clock;
  settings: ServiceSettings;
  log: Logger;
}

export interface Service {
  /** Where it listens: `url` such as `https://127.0.0.1:8181`, and the path of the socket. */
  addresses: { url: string | null; socket: string | null };
  /** Accepts nothing new, finishes what was accepted within the drain time, frees the addresses. */
  close(): Promise<void>;
}

/** Starts to listen; where it rejects, with `LISTEN_FAILED`, nothing is left open. */
export async function startService(parts: ServiceParts): Promise<Service> {
  const { settings } = parts;
  if (settings.listen === null && settings.socket === null) {
    const message = 'there is nothing to listen on: pdp.listen and pdp.socket are both null';
    throw new PortcullisError('CONFIGURATION_INVALID', message, { pointer: '/pdp' });
  }
  const { listen, socket } = settings;
  const edge = createEdge({ ...parts, ...settings });
  const servers: Server[] = [];
  const open: Open = (channel) => {
    const server = createListener(edge, channel, parts);
    servers.push(server);
    return server;
  };
  const close = (): Promise<void> => closeAll(edge, servers, settings.drain_timeout_ms);
  try {
    const addresses = {
      url: listen === null ? null : await openTcp(listen, settings, open),
      socket: socket === null ? null : await openSocket(socket, open),
    };
    return { addresses, close };
  } catch (error) {
    await close();
    throw error;
  }
}

const HOT_ROUTES = new Map(
  ROUTES.filter(({ path }) => path === EVALUATION_PATH || path === EVALUATIONS_PATH).map(
    (route) => [`${route.method} ${route.path}`, route],
  ),
);

/** Hands a request to its endpoint: hot routes directly, the rest through express. */
function dispatch(edge: Edge, channel: Channel) {
  const others = expressRoutes(edge, channel);
  return (request: IncomingMessage, response: ServerResponse): void => {
    const hot = HOT_ROUTES.get(`${request.method} ${request.url}`);
    if (hot) void edge.serve(hot, { request, response, channel });
    else others(request, response, () => edge.refuse({ request, response, channel }, []));
  };
}

/** Routes of express; `none` is called where no route takes the request. */
type Router = (request: IncomingMessage, response: ServerResponse, none: () => void) => void;

function expressRoutes(edge: Edge, channel: Channel): Router {
  const app = express();
  app.disable('x-powered-by');
  app.enable('case sensitive routing');
  app.enable('strict routing');
  for (const route of ROUTES) {
    const method = route.method === 'GET' ? 'get' : 'post';
    app[method](expressPath(route.path), (request, response) =>
      edge.serve(route, { request, response, channel }),
    );
  }
  for (const [path, allowed] of methodsByPath()) {
    app.all(expressPath(path), (request, response) =>
      edge.refuse({ request, response, channel }, allowed),
    );
  }
  return app;
}

function expressPath(path: string): string {
  return path.replace('{path}', '*path').replaceAll(/\{(\w+)\}/g, ':$1');
}

function methodsByPath(): Map<string, string[]> {
  const methods = new Map<string, string[]>();
  for (const { method, path } of ROUTES) {
    const more = method === 'GET' ? ['GET', 'HEAD'] : [method];
    methods.set(path, [...(methods.get(path) ?? []), ...more]);
  }
  return methods;
}

type Open = (channel: Channel) => Server;

async function openTcp(
  address: string,
  settings: Pick<ServiceSettings, 'hosts' | 'tls'>,
  open: Open,
): Promise<string> {
  const hosts = new Set(settings.hosts.map((host) => host.toLowerCase()));
  const port = await listenTcp(open({ kind: 'tcp', hosts }), address);
  for (const host of loopbackHosts(port)) hosts.add(host);
  return `${settings.tls ? 'https' : 'http'}://${address.replace(/:\d+$/, '')}:${port}`;
}

async function openSocket(path: string, open: Open): Promise<string> {
  await listenSocket(open({ kind: 'socket', hosts: null }), path);
  return path;
}

/** How often node:http looks for requests that take too long. */
const CHECK_INTERVAL_MS = 1_000;

function createListener(edge: Edge, channel: Channel, parts: ServiceParts): Server {
  const { settings, log } = parts;
  const { request_timeout_ms, idle_timeout_ms } = settings;
  const options = {
    // Node refuses what is as large as that.
    maxHeaderSize: settings.header_bytes_max + 1,
    headersTimeout: request_timeout_ms,
    requestTimeout: request_timeout_ms,
    connectionsCheckingInterval: Math.min(request_timeout_ms, CHECK_INTERVAL_MS),
    keepAliveTimeout: idle_timeout_ms,
    noDelay: true,
  };
  const server = openServer(options, channel, parts);
  server.on('request', dispatch(edge, channel));
  server.maxConnections = settings.connections_max;
  server.timeout = idle_timeout_ms;
  server.on('error', (error) => {
    if (server.listening) log.error('a listener failed', { error });
  });
  return server;
}

/** The listener on TCP speaks TLS where it is set; the one on a socket needs none. */
function openServer(options: ServerOptions, channel: Channel, parts: ServiceParts): Server {
  const { tls } = parts.settings;
  if (tls === null || channel.kind === 'socket') return createServer(options);
  const listener = createTlsServer(tls, options, parts);
  channel.certificateOf = listener.certificateOf;
  return listener.server;
}

const IDLE_SWEEP_INTERVAL_MS = 50;

/**
 * Connections end with the answer that they wait for, at the latest after the drain time. One that
 * seems idle may have its next request on the way, so it is left open for a moment, and closed only
 * when what has arrived was read.
 */
async function closeAll(edge: Edge, servers: readonly Server[], timeout_ms: number): Promise<void> {
  edge.drain();
  const closeIdle = (): void => {
    for (const server of servers) server.closeIdleConnections();
  };
  const sweep = setInterval(() => setImmediate(closeIdle), IDLE_SWEEP_INTERVAL_MS);
  const force = setTimeout(() => {
    for (const server of servers) server.closeAllConnections();
  }, timeout_ms);
  await Promise.all(servers.map(closeServer));
  clearInterval(sweep);
  clearTimeout(force);
}

/**
 * Resolves when the last connection is gone; a server that never listened is closed already. The
 * `close` of an HTTP server comes after that of a plain one, because it begins with a reset of what
 * it takes for idle at that moment; it also stops the timer that looks for slow requests.
 */
async function closeServer(server: Server): Promise<void> {
  await new Promise<void>((resolve) => {
    NetServer.prototype.close.call(server, () => resolve());
  });
  server.close();
}
