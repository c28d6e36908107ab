/** The limits of `policy.remote`. */
import { openForeignClient, type ForeignClient } from '../../../src/decision/foreign/client.ts';
import { openForeignEvaluator } from '../../../src/decision/foreign/evaluator.ts';
import { authzenPdp } from '../../../src/decision/authzen_pdp/backend.ts';
import { projectionOf } from '../../../src/decision/foreign/project.ts';
import type { Resource } from '../../../src/contract/types.gen.ts';
import { json, liar, servers } from '../../decision/foreign/fixture.ts';
import { pretend, pretendRaw } from '../../decision/remote/fixture.ts';
import { DEFAULTS } from '../../support/defaults.ts';
import { evidenceOnDisk } from '../../support/decisions.ts';
import { SILENT } from '../../support/toolchain.ts';
import { around, outcomeOf, type Probe, type TimeProbe } from './probe.ts';

const RANDOM = { id: () => crypto.randomUUID() };
const INPUT = { subject: {}, action: { name: 'tools/list' }, context: {} };

function clientOf(url: string, settings = {}): ForeignClient {
  const limits = { ...DEFAULTS.policy.remote, request_bytes_max: 10_000, ...settings };
  return openForeignClient({ ...limits, address: { url } }, {}, RANDOM);
}

export function responseBytes(): Promise<Probe> {
  return around(1024, async (amount, response_bytes_max) => {
    const text = JSON.stringify('x'.repeat(amount - 2));
    const server = await pretend((request, _body, response) => json(text)(response, request));
    const client = clientOf(server.url, { response_bytes_max });
    const outcome = await outcomeOf(() => client.send({ path: '/' }));
    await client.close();
    await server.close();
    return outcome;
  });
}

/** How many of so many questions arrive while none is answered. */
export function connections(): Promise<Probe> {
  return around(2, async (amount, connections_max) => {
    let arrived = 0;
    const enough = Promise.withResolvers<void>();
    const server = await pretendRaw(() => {
      arrived += 1;
      if (arrived === Math.min(amount, connections_max)) enough.resolve();
    });
    const client = clientOf(server.url, { connections_max, timeout_ms: 60_000 });
    const asked = Array.from({ length: amount }, () => outcomeOf(() => client.send({ path: '/' })));
    await enough.promise;
    await client.close();
    await Promise.all(asked);
    await server.close();
    return `${arrived} of ${amount}`;
  });
}

/** In how many requests so many items are asked for. */
export function batchItems(): Promise<Probe> {
  return around(2, async (amount, batch_items_max) => {
    const server = await liar();
    const settings = { server: server.url, path: '/one', discovery_path: '/access/v1/evaluations' };
    const backend = authzenPdp(clientOf(server.url), {
      ...settings,
      roles_member: 'roles',
      batch_items_max,
    });
    const policy = await backend.look();
    const item = { type: 'tool', id: 'a', properties: { server: 's' } } as Resource;
    await policy.list(INPUT, Array<Resource>(amount).fill(item));
    await backend.close();
    await servers.close();
    return `${server.got.length} requests`;
  });
}

export function silence(): Promise<Probe> {
  return around(1000, async (amount, silence_ms_max) => {
    const clock = { time_ms: 1_000_000, now_ms: () => clock.time_ms };
    const server = await liar();
    const { evidence } = await evidenceOnDisk();
    const evaluator = await openForeignEvaluator({
      backend: authzenPdp(clientOf(server.url), {
        server: server.url,
        path: '/access/v1/evaluation',
        discovery_path: null,
        roles_member: 'roles',
        batch_items_max: 1,
      }),
      projection: projectionOf([]),
      poll_interval_ms: 3_600_000,
      silence_ms_max,
      clock,
      evidence,
      log: SILENT,
    });
    clock.time_ms += amount;
    const outcome = await outcomeOf(() => evaluator.current());
    await evaluator.close();
    await servers.close();
    return outcome;
  });
}

export async function timeout(): Promise<TimeProbe> {
  const server = await pretend((request, _body, response) => json('{}')(response, request));
  const silent = await pretendRaw(() => {});
  const ask = async (url: string, timeout_ms: number): Promise<string> => {
    const client = clientOf(url, { timeout_ms });
    const outcome = await outcomeOf(() => client.send({ path: '/' }));
    await client.close();
    return outcome;
  };
  const soon = await ask(server.url, 60_000);
  const never = await ask(silent.url, 30);
  await Promise.all([server.close(), silent.close()]);
  return { soon, never };
}
