/** The limits of `guard`. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Obligation } from '../../../src/contract/types.gen.ts';
import { fromAuthInfo } from '../../../src/identity/auth_info/source.ts';
import type { Asker } from '../../../src/pep/evaluation.ts';
import { Subscriptions } from '../../../src/pep/subscriptions.ts';
import { PolicyWatches } from '../../../src/pep/policy_watch.ts';
import type { GuardSettings } from '../../../src/pep/settings.ts';
import { closeAll, callOf, post, postModern, messageOf, started } from '../../pep/support/http.ts';
import { guarded, HELLO } from '../../pep/support/rig.ts';
import { rounds, TRANSFER } from '../../pep/support/rounds.ts';
import { allow, ScriptedDecisionPoint } from '../../pep/support/scripted.ts';
import {
  buildLowLevel,
  buildServer,
  newServer,
  plainTool,
  said,
  type Journal,
  type Line,
} from '../../pep/support/servers.ts';
import type { TestWire } from '../../pep/support/wire.ts';
import { SILENT } from '../../support/toolchain.ts';
import { around, TAKEN, type Probe, type TimeProbe } from './probe.ts';

const EXTENSION = 'io.modelcontextprotocol/server-policy-enforcement';
const HTTP: GuardSettings['http'] = {
  body_bytes_max: 65_536,
  sessions_max: 4,
  session_idle_ms: 60_000,
};

/** `taken`, or the reason code of the refusal. */
async function call(wire: TestWire, id = 1): Promise<string> {
  const { result } = await wire.call(id, 'balance');
  return result.isError ? result._meta[EXTENSION].reason_code : TAKEN;
}

export function catalogueItems(): Promise<Probe> {
  return around(3, async (amount, catalogue_items_max) => {
    const names = ['balance', ...Array.from({ length: amount - 1 }, (_, i) => `tool${i}`)];
    const server = () => buildLowLevel(1, () => ({ tools: names.map((name) => plainTool(name)) }));
    const { wire } = await guarded({}, { server, settings: { catalogue_items_max } });
    return call(wire);
  });
}

export async function catalogueTimeout(): Promise<TimeProbe> {
  const listed = async (list: () => object, catalogue_timeout_ms: number): Promise<string> => {
    const server = () => buildLowLevel(1, list);
    const { wire } = await guarded({}, { server, settings: { catalogue_timeout_ms } });
    return call(wire);
  };
  return {
    soon: await listed(() => ({ tools: [plainTool('balance')] }), 60_000),
    never: await listed(() => new Promise(() => undefined), 30),
  };
}

/** The size is that of the result as JSON text. */
export function resultBytes(): Promise<Probe> {
  return around(200, async (amount, result_bytes_max) => {
    const frame_bytes = JSON.stringify(said('""')).length;
    const answer = said(JSON.stringify('x'.repeat(amount - frame_bytes)));
    const list = () => ({ tools: [plainTool('balance')] });
    const server = () => buildLowLevel(1, list, () => answer);
    const keep: Obligation = { type: 'keep_fields', paths: [''], unstructured: 'drop' };
    const decide = () => allow({ obligations: [keep] });
    const { wire } = await guarded({ decide }, { server, settings: { result_bytes_max } });
    return call(wire);
  });
}

/** The size is that of the arguments as JSON text. */
export function argumentsBytes(): Promise<Probe> {
  return around(100, async (amount, arguments_bytes_max) => {
    const { wire } = await guarded({}, { settings: { arguments_bytes_max } });
    const text = 'x'.repeat(amount - JSON.stringify({ text: '' }).length);
    const { result } = await wire.call(1, 'balance', { text });
    return result.isError ? result._meta[EXTENSION].reason_code : TAKEN;
  });
}

export function requestsInFlight(): Promise<Probe> {
  return around(2, async (amount, requests_in_flight_max) => {
    const released = Promise.withResolvers<void>();
    const decide = () => released.promise.then(() => allow());
    const { wire } = await guarded({ decide }, { settings: { requests_in_flight_max } });
    const calls = Array.from({ length: amount }, (_, i) => call(wire, i + 1));
    released.resolve();
    return (await Promise.all(calls)).at(-1)!;
  });
}

/**
 * A call that the server never answers and the client no longer wants: it takes the one place there
 * is for so long, and a second call is asked again until it is taken or clearly never will be.
 */
export async function cancelledTimeout(): Promise<TimeProbe> {
  const asked = async (cancelled_timeout_ms: number, tries: number): Promise<string> => {
    const reached = Promise.withResolvers<void>();
    const hang = () => {
      reached.resolve();
      return new Promise<never>(() => undefined);
    };
    const server = (line: Line, journal: Journal) => buildServer(line, journal, { plain: hang });
    const settings = { cancelled_timeout_ms, requests_in_flight_max: 1 };
    const { wire } = await guarded({}, { server, settings });
    wire.give({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'plain' } });
    await reached.promise;
    wire.give({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1 } });
    let outcome = '';
    for (let id = 2; outcome !== TAKEN && id < tries; id += 1) {
      outcome = await call(wire, id);
      await nextTurn();
    }
    return outcome;
  };
  return { soon: await asked(3_600_000, 10), never: await asked(1, Infinity) };
}

/** Whether the first of so many subscriptions is still heard of. */
export function subscriptions(): Promise<Probe> {
  return around(3, (amount, subscriptions_max) => {
    const open = new Subscriptions(subscriptions_max);
    for (let i = 1; i <= amount; i += 1) open.add(`file:///${i}`, {} as Asker);
    return open.asker('file:///1') ? 'heard' : 'left out';
  });
}

/** Whether the first of so many tenants is still watched. */
export function tenants(): Promise<Probe> {
  return around(3, (amount, tenants_max) => {
    const point = new ScriptedDecisionPoint();
    const watches = new PolicyWatches(point, { decision_timeout_ms: 100, tenants_max }, SILENT);
    const first = watches.of('1');
    for (let i = 2; i <= amount; i += 1) watches.of(String(i));
    return watches.of('1') === first ? 'watched' : 'made room';
  });
}

/** A login so far in the future. */
export function clockSkew(): Promise<Probe> {
  return around(10, (amount, clock_skew_seconds_max) => {
    const source = fromAuthInfo({ clock_skew_seconds_max }, { now_ms: () => 1_000_000 });
    const extra = { sub: 'alice', auth_time: 1_000 + amount };
    const context = source({ authInfo: { clientId: 'cid', extra } }, () => {});
    return context === undefined ? 'nobody' : TAKEN;
  });
}

/** A state that is so old. */
export function requestStateTtl(): Promise<Probe> {
  return around(10, async (amount, request_state_ttl_seconds) => {
    const rig = await rounds(1, { settings: { request_state_ttl_seconds } });
    const requestState = await rig.begin();
    const now_ms = rig.parts.clock.now_ms() + amount * 1000;
    Object.assign(rig.parts.clock, { now_ms: () => now_ms });
    const { error } = await rig.call('tools/call', { ...TRANSFER, requestState });
    return error ? String(error.data['reason']) : TAKEN;
  });
}

/** What the client is told of a list that the server says may be kept for so long. */
export function listTtl(): Promise<Probe> {
  return around(100, async (amount, list_ttl_ms_max) => {
    const factory = () => {
      const cacheHints = { 'tools/list': { ttlMs: amount, cacheScope: 'private' } };
      const server = newServer(2, { capabilities: { tools: {} }, cacheHints });
      server.registerTool('balance', {}, () => said('1'));
      return server;
    };
    const { url } = await started(factory, {}, { settings: { list_ttl_ms_max } });
    const { result } = (await messageOf(await postModern(url, 'tools/list'))) as {
      result: { ttlMs: number };
    };
    await closeAll();
    return `${result.ttlMs} ms`;
  });
}

export function httpBodyBytes(): Promise<Probe> {
  return around(4096, async (amount, body_bytes_max) => {
    const settings = { http: { ...HTTP, body_bytes_max } };
    const { url } = await started(() => buildServer(1), {}, { settings });
    const { status } = await post(url, JSON.stringify(callOf('balance')).padEnd(amount));
    await closeAll();
    return String(status);
  });
}

const BEGIN = { jsonrpc: '2.0', id: 1, method: 'initialize', params: HELLO };

export function httpSessions(): Promise<Probe> {
  return around(2, async (amount, sessions_max) => {
    const settings = { http: { ...HTTP, sessions_max } };
    const { url } = await started(() => buildServer(1), {}, { settings, sessions: true });
    let status = 0;
    for (let i = 0; i < amount; i += 1) status = (await post(url, BEGIN)).status;
    await closeAll();
    return String(status);
  });
}

/** A session that was not used for so long makes room for another, or not. */
export function sessionIdle(): Promise<Probe> {
  return around(1000, async (amount, session_idle_ms) => {
    let now_ms = 0;
    const settings = { http: { ...HTTP, sessions_max: 1, session_idle_ms } };
    const { url, parts } = await started(() => buildServer(1), {}, { settings, sessions: true });
    Object.assign(parts.clock, { now_ms: () => now_ms });
    await post(url, BEGIN);
    now_ms = amount;
    const { status } = await post(url, BEGIN);
    await closeAll();
    return String(status);
  });
}
