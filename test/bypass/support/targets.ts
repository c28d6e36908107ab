/** Guarded servers, and servers behind guards that are made in the way of others. */
import { createMcpHandler } from '@modelcontextprotocol/server';
import { WebStandardStreamableHTTPServerTransport as Http1 } from '@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js';
import type { DecisionPoint } from '../../../src/contract/decision_point.ts';
import { createGuard, type Guard } from '../../../src/pep/mcp/guard.ts';
import type { GuardParts } from '../../../src/pep/settings.ts';
import type { MessageExtra, Transport } from '../../../src/pep/transport.ts';
import { LogLines, testParts } from '../../pep/support/parts.ts';
import { embedded } from '../../pep/support/real.ts';
import type { HighServer, Line } from '../../pep/support/servers.ts';
import { Bank } from './bank.ts';
import { entry, overHttp, overStdio, webHandle, type HttpWire, type Wire } from './doors.ts';
import { authInfoOf, byHost, DATA, launchedAs, sceneWith } from './policy.ts';

export type Target<W extends Wire = Wire> = W & { bank: Bank };
export type Open<W extends Wire = Wire> = () => Promise<Target<W>>;

export interface Victim {
  /** Policy data; else `DATA`. */
  data?: object;
  /** Who decides; else the library over the data. */
  point?: () => DecisionPoint | Promise<DecisionPoint>;
  /** What the server has beside its own. */
  more?: (server: HighServer, bank: Bank, line: Line) => void;
  /** Who attacks. */
  as?: string;
  /** How the server is made. */
  options?: object | undefined;
  /** The books, where they outlive a server. */
  bank?: Bank;
}

export async function partsOf(victim: Victim): Promise<GuardParts> {
  const { data = DATA, point = async () => embedded((await sceneWith(data)).core) } = victim;
  const settings = { server: 'bank', decision_timeout_ms: 5_000, catalogue_timeout_ms: 5_000 };
  const identity: typeof byHost = (extra, report) =>
    extra.requestInfo === undefined ? launchedAs(victim.as ?? 'alice') : byHost(extra, report);
  const parts = testParts({}, settings, { identity });
  return { ...parts, decisionPoint: await point(), log: new LogLines() };
}

export async function guardBy(victim: Victim): Promise<Guard> {
  return createGuard(await partsOf(victim));
}

function books({ more, options, bank = new Bank() }: Victim): {
  bank: Bank;
  build: (line: Line) => HighServer;
} {
  return {
    bank,
    build: (line) => bank.build(line, (server) => more?.(server, bank, line), options),
  };
}

const connecting = (server: HighServer) => async (transport: Transport) => {
  await server.connect(transport);
  return () => server.close();
};

export function guardedStdio(line: Line, victim: Victim = {}): Open {
  return async () => {
    const guard = await guardBy(victim);
    const { bank, build } = books(victim);
    const serve = line === 1 ? connecting(guard(build(1))) : entry(() => build(2), guard.wire);
    return { ...(await overStdio(line, serve)), bank };
  };
}

export function guardedHttp(
  line: Line,
  victim: Victim & { sessions?: boolean } = {},
): Open<HttpWire> {
  return async () => {
    const { as, sessions = false } = victim;
    const { bank, build } = books(victim);
    const handler = (await guardBy(victim)).http(() => build(line), { sessions });
    const handle: Parameters<typeof overHttp>[0] = (req, res) => {
      Object.assign(req, { auth: authInfoOf(req.headers.authorization ?? null) });
      return handler(req, res);
    };
    const close = () => handler.close();
    return { ...(await overHttp(handle, { as, sessions, close })), bank };
  };
}

/** Every way in which a server is reached, each guarded. */
export function guardedDoors(victim: Victim = {}): Record<string, Open> {
  return {
    'stdio, 1.x': guardedStdio(1, victim),
    'stdio, 2.x': guardedStdio(2, victim),
    ...guardedEndpoints(victim),
  };
}

export function guardedEndpoints(victim: Victim = {}): Record<string, Open<HttpWire>> {
  return {
    'HTTP, 1.x': guardedHttp(1, victim),
    'HTTP with sessions, 1.x': guardedHttp(1, { ...victim, sessions: true }),
    'HTTP, 2.x': guardedHttp(2, victim),
    'HTTP with sessions, 2.x': guardedHttp(2, { ...victim, sessions: true }),
  };
}

/** What a guard between the host and the SDK looks at; false = it refuses. */
export type Check = (seen: { headers: Headers; text: string; body: Buffer }) => boolean;

/** A guard that looks at messages on their way; undefined = it keeps one back. */
export interface Looks {
  in?: (message: Said, extra?: MessageExtra) => unknown;
  out?: (message: Said) => unknown;
}

// oxlint-disable-next-line typescript/no-explicit-any -- what comes is of any shape
export type Said = any;

const nothing: Check = () => true;

/** A server of either line over HTTP, behind a check and a wrapped transport that may be naive. */
export function naiveHttp(
  line: Line,
  { check = nothing, looks = {}, ...victim }: Victim & { check?: Check; looks?: Looks } = {},
): Open<HttpWire> {
  return async () => {
    const { bank, build } = books(victim);
    const entry2 = createMcpHandler(() => looking(build(2), looks) as never);
    const serve = async (request: Request) => {
      const authInfo = authInfoOf(request.headers.get('authorization')) as never;
      if (line === 2) return entry2.fetch(request, { authInfo });
      const transport = new Http1({});
      await build(1).connect(lookingThrough(transport as never, looks));
      return transport.handleRequest(request, { authInfo });
    };
    const handle = webHandle(async (request, body) => {
      const passes = check({ headers: request.headers, text: body.toString(), body });
      return passes ? serve(request) : new Response('refused', { status: 403 });
    });
    return { ...(await overHttp(handle, { as: victim.as, close: () => entry2.close() })), bank };
  };
}

export function naiveStdio(
  line: Line,
  { looks = {}, ...victim }: Victim & { looks?: Looks } = {},
): Open {
  return async () => {
    const { bank, build } = books(victim);
    return { ...(await overStdio(line, connecting(looking(build(line), looks)))), bank };
  };
}

function looking(server: HighServer, looks: Looks): HighServer {
  const low = server.server as { connect(transport: Transport): Promise<void> };
  const connect = low.connect.bind(low);
  low.connect = (transport) => connect(lookingThrough(transport, looks));
  return server;
}

/** A transport that looks at what passes through another, as many guards are made. */
export function lookingThrough(
  inner: Transport,
  { in: on_way_in = (message) => message as unknown, out = (message) => message as unknown }: Looks,
): Transport {
  const outer = Object.create(inner) as Transport;
  let deliver: Transport['onmessage'];
  Object.defineProperty(outer, 'onmessage', {
    get: () => deliver,
    set: (to: Transport['onmessage']) => {
      deliver = to;
      inner.onmessage = (message, extra) => {
        const passed = on_way_in(message, extra);
        if (passed !== undefined) to?.(passed, extra);
      };
    },
  });
  for (const name of ['onclose', 'onerror'] as const) {
    Object.defineProperty(outer, name, {
      get: () => inner[name],
      set: (to: never) => {
        inner[name] = to;
      },
    });
  }
  outer.start = () => inner.start();
  outer.close = () => inner.close();
  outer.send = async (message, options) => {
    const passed = out(message);
    if (passed !== undefined) await inner.send(passed, options);
  };
  return outer;
}
