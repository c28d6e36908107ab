/**
 * Worlds whose decision point asks a policy server: a real OPA server, Cerbos, or one that lies.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openDecisionPoint } from '../../../src/cli/decision_point.ts';
import { loadConfiguration } from '../../../src/config/load.ts';
import {
  cerbosAtPlace,
  freePort,
  opaAtPlace,
  Servers,
  type PolicyServer,
} from '../../decision/foreign/processes.ts';
import {
  json,
  liar,
  servers as liars,
  wellBehaved,
  type Got,
  type Misbehave,
} from '../../decision/foreign/fixture.ts';
import { readAll } from '../../support/evidence_log.ts';
import { LogLines } from './parts.ts';
import { ODD_POLICY, type World } from './worlds.ts';

export type Asked = 'opa' | 'authzen';

const servers = new Servers();

export async function closeBackends(): Promise<void> {
  await servers.close();
  await liars.close();
}

/** A world whose server can be ended and stopped. */
export interface ServerWorld extends World {
  server: PolicyServer;
}

/** A decision point in this process that asks a policy server, as a configuration says. */
async function embeddedOver(backend: Asked, remote: object, opens = true): Promise<World> {
  const state = servers.folder();
  const load = (instance: string) =>
    loadConfiguration({
      names: { server: 'payments', instance },
      overrides: {
        state,
        policy: { backend, remote: { poll_interval_ms: 50, silence_ms_max: 60_000, ...remote } },
        decision_point: { embedded: true, timeout_ms: 5_000 },
      },
      variables: {},
    });
  const log = new LogLines();
  const { point, opened } = openDecisionPoint(load('main'), load, log);
  servers.keep(point);
  const failed = await opened.then(
    () => false,
    () => true,
  );
  if (failed === opens) throw new Error(`unexpected: ${JSON.stringify(log.lines)}`);
  const records = (): Promise<unknown> => readAll(load('main').evidence.directory);
  return { point, log, ...(opens && { records }) };
}

/** OPA with the policy of the failures, in which each tool fails in the way of its name. */
export async function opaWorld(remote = {}): Promise<ServerWorld> {
  const folder = servers.folder();
  const file = join(folder, 'odd.rego');
  writeFileSync(file, ODD_POLICY);
  const server = servers.keep(opaAtPlace({ socket: join(folder, 's') }, file));
  await server.start();
  const world = await embeddedOver('opa', { ...server.remote, path: 'odd/result', ...remote });
  return { ...world, server };
}

/** Allows `fine`, shows `ruleless`, and says nothing of the others. */
const CERBOS_POLICY = {
  apiVersion: 'api.cerbos.dev/v1',
  resourcePolicy: {
    version: 'default',
    resource: 'tool',
    rules: [
      {
        actions: ['tools/call'],
        effect: 'EFFECT_ALLOW',
        roles: ['tellers'],
        condition: { match: { expr: 'R.id == "fine"' } },
      },
      { actions: ['tools/list'], effect: 'EFFECT_ALLOW', roles: ['tellers'] },
    ],
  },
};

export async function cerbosWorld(remote = {}): Promise<ServerWorld> {
  const folder = servers.folder();
  const policies = join(folder, 'policies');
  mkdirSync(policies);
  writeFileSync(join(policies, 'tool.json'), JSON.stringify(CERBOS_POLICY));
  const place = { port: await freePort() };
  const server = servers.keep(cerbosAtPlace(place, policies, folder));
  await server.start();
  const asked = { ...server.remote, roles_member: 'cerbos.roles', ...remote };
  return { ...(await embeddedOver('authzen', asked)), server };
}

/** A server that answers looks and lists well, and calls so. */
export const liarWorld = (backend: Asked, misbehave: Misbehave) => async (): Promise<World> => {
  const { url, act, got } = await liar();
  act((response, request) => {
    const { path, body } = got.at(-1) as Got;
    const input = body.input ?? body;
    const isCall = input.context.phase === 'call';
    (isCall ? misbehave : json(wellBehaved(path, input)))(response, request);
  });
  const path = backend === 'opa' ? { path: 'suite/decision' } : {};
  return embeddedOver(backend, { url, ...path });
};

/** A server that is healthy only when its policy is loaded, and never is. */
export async function opaWithoutPolicy(): Promise<World> {
  const folder = servers.folder();
  const config = join(folder, 'opa.json');
  const nowhere = `http://127.0.0.1:${await freePort()}`;
  writeFileSync(
    config,
    JSON.stringify({ services: { b: { url: nowhere } }, bundles: { b: { service: 'b' } } }),
  );
  const server = servers.keep(opaAtPlace({ socket: join(folder, 's') }, '--config-file', config));
  await server.start();
  return embeddedOver('opa', { ...server.remote, path: 'odd/result' }, false);
}

/** Nobody listens: Cerbos does not start with a policy that it cannot read. */
export async function absentWorld(backend: Asked): Promise<World> {
  const socket = join(servers.folder(), 's');
  return embeddedOver(backend, { socket, path: '/access/v1/evaluation' }, false);
}
