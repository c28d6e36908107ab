/** The shared suite for every way to decide. */
import { join } from 'node:path';
import { describe } from '@jest/globals';
import { openEvaluator } from '../../src/cli/evaluators.ts';
import type { Configuration } from '../../src/config/types.gen.ts';
import type { EvidenceLog } from '../../src/evidence/types.ts';
import { DEFAULTS } from '../support/defaults.ts';
import { describeWithOpa, SILENT } from '../support/toolchain.ts';
import { evaluatorSuite } from './evaluator_suite.ts';
import {
  cerbosAtPlace,
  describeWithCerbos,
  freePort,
  opaAtPlace,
  portcullisAtPlace,
  Servers,
  type PolicyServer,
} from './foreign/processes.ts';
import { serverSuite } from './server_suite.ts';
import { ENTRYPOINTS, writeCerbos, writeRego, writeRoles, writeWasm } from './suite_policies.ts';
import { IMPATIENT, type BackendKind } from './suite_world.ts';

const servers = new Servers();

function open(evidence: EvidenceLog, policy: Partial<Configuration['policy']>) {
  const configuration = { ...DEFAULTS, policy: { ...DEFAULTS.policy, ...policy } };
  return openEvaluator(configuration, { evidence, log: SILENT });
}

describeWithOpa('a compiled bundle', () => {
  evaluatorSuite({
    async make() {
      const bundle = join(servers.folder(), 'bundle.tar.gz');
      await writeWasm(bundle, 'open');
      return {
        open: (evidence) => open(evidence, { bundle, reload_interval_ms: 50 }),
        change: () => writeWasm(bundle, 'shut'),
      };
    },
    close: () => servers.close(),
    constrains: true,
    versioned: true,
  });
});

function opaKind(discovery_path: string | null, place: 'socket' | 'port'): BackendKind {
  return {
    async make() {
      const folder = servers.folder();
      const bundle = join(folder, 'bundle.tar.gz');
      writeRego(bundle, 'open');
      const at = place === 'socket' ? { socket: join(folder, 's') } : { port: await freePort() };
      const server = servers.keep(opaAtPlace(at, '-b', bundle));
      await server.start();
      const remote = { ...IMPATIENT, ...server.remote, path: ENTRYPOINTS[0], discovery_path };
      return {
        open: (evidence) => open(evidence, { backend: 'opa', remote }),
        change: () => writeRego(bundle, 'shut'),
        server,
      };
    },
    close: () => servers.close(),
    constrains: true,
    versioned: true,
  };
}

describe('a file of roles', () => {
  evaluatorSuite({
    async make() {
      const rbac_file = join(servers.folder(), 'roles.yaml');
      writeRoles(rbac_file, 'open');
      const policy = { backend: 'static_rbac', rbac_file, reload_interval_ms: 50 } as const;
      return {
        open: (evidence) => open(evidence, policy),
        change: () => writeRoles(rbac_file, 'shut'),
      };
    },
    close: () => servers.close(),
    constrains: true,
    versioned: true,
  });
});

describeWithOpa('an OPA server', () => {
  describe('on a socket, with a rule for lists', () => {
    evaluatorSuite(opaKind(ENTRYPOINTS[1], 'socket'));
    serverSuite(opaKind(ENTRYPOINTS[1], 'socket'));
  });
  describe('on the loopback, asked for each item', () => {
    evaluatorSuite(opaKind(null, 'port'));
    serverSuite(opaKind(null, 'port'));
  });
});

function cerbosKind(place: 'socket' | 'port'): BackendKind {
  return {
    async make() {
      const folder = servers.folder();
      const policies = join(folder, 'policies');
      writeCerbos(policies, 'open');
      const at = place === 'socket' ? { socket: join(folder, 's') } : { port: await freePort() };
      const server: PolicyServer = servers.keep(cerbosAtPlace(at, policies, folder));
      await server.start();
      const explicit = { path: '/access/v1/evaluation', discovery_path: null };
      const remote = {
        ...IMPATIENT,
        roles_member: 'cerbos.roles',
        ...server.remote,
        ...(place === 'socket' && explicit),
      };
      return {
        open: (evidence) => open(evidence, { backend: 'authzen', remote }),
        change: () => writeCerbos(policies, 'shut'),
        server,
      };
    },
    close: () => servers.close(),
    constrains: false,
    versioned: false,
  };
}

describeWithCerbos('Cerbos, as any AuthZEN decision point', () => {
  describe('on the loopback, by its metadata', () => {
    evaluatorSuite(cerbosKind('port'));
    serverSuite(cerbosKind('port'));
  });
  describe('on a socket, asked for each item', () => {
    evaluatorSuite(cerbosKind('socket'));
    serverSuite(cerbosKind('socket'));
  });
});

const SEP: BackendKind = {
  async make() {
    const folder = servers.folder();
    const rbac_file = join(folder, 'roles.yaml');
    writeRoles(rbac_file, 'open');
    const place = { socket: join(folder, 's') };
    const server = servers.keep(portcullisAtPlace(place, rbac_file, folder));
    await server.start();
    const remote = { ...IMPATIENT, ...server.remote };
    return {
      open: (evidence) => open(evidence, { backend: 'sep', remote }),
      change: () => writeRoles(rbac_file, 'shut'),
      server,
    };
  },
  close: () => servers.close(),
  constrains: true,
  versioned: false,
};

describe('a service that speaks the profile of the SEP', () => {
  evaluatorSuite(SEP);
  serverSuite(SEP);
});
