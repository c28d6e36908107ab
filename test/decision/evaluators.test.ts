/** The shared suite for every way to decide. */
import { readFileSync, writeFileSync } from 'node:fs';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe } from '@jest/globals';
import { writeBundle } from '../../src/bundle/files.ts';
import { openEvaluator } from '../../src/cli/evaluators.ts';
import type { Configuration } from '../../src/config/types.gen.ts';
import type { EvidenceLog } from '../../src/evidence/types.ts';
import { DEFAULTS } from '../support/defaults.ts';
import { describeWithOpa, SILENT } from '../support/toolchain.ts';
import { wasmOf } from '../support/policies.ts';
import { evaluatorSuite, IMPATIENT, serverSuite, type BackendKind } from './evaluator_suite.ts';
import {
  cerbosAtPlace,
  describeWithCerbos,
  freePort,
  opaAtPlace,
  portcullisAtPlace,
  Servers,
  type PolicyServer,
} from './foreign/processes.ts';

const servers = new Servers();

function open(evidence: EvidenceLog, policy: Partial<Configuration['policy']>) {
  const configuration = { ...DEFAULTS, policy: { ...DEFAULTS.policy, ...policy } };
  return openEvaluator(configuration, { evidence, log: SILENT });
}

const REGO = `package suite
default decision := {"decision": "deny"}
teller if "tellers" in input.subject.properties.groups
call if input.context.phase == "call"
id := input.resource.id
decision := {"decision": "allow"} if { teller; id == "fine" }
decision := {"decision": "deny", "visible": true} if { teller; call; id == "refused" }
decision := {"decision": "allow"} if { teller; not call; id == "refused" }
decision := {"decision": "require_approval"} if { teller; id == "approval" }
decision := {"decision": "allow", "constraints": {"actor_required": "human"}} if {
  teller
  id == "actor"
}
visible := [i | some i, item in input.resources; shown with input.resource as item]
shown if decision.decision != "deny"
`;
const SHUT = `package suite
decision := {"decision": "deny"}
visible := []
`;
const ENTRYPOINTS = ['suite/decision', 'suite/visible'] as const;
const METADATA = {
  portcullis: { schema_version: 1, entrypoint: ENTRYPOINTS[0], discovery: ENTRYPOINTS[1] },
};

async function writeWasm(file: string, rego: string, revision: string): Promise<void> {
  const wasm = ENTRYPOINTS.map((entrypoint) => ({ entrypoint, module: '/policy.wasm' }));
  const files = new Map<string, Uint8Array>([
    ['policy.wasm', await wasmOf(rego, ...ENTRYPOINTS)],
    ['.manifest', Buffer.from(JSON.stringify({ revision, wasm, metadata: METADATA }))],
    ['data.json', Buffer.from('{}')],
  ]);
  writeFileSync(file, writeBundle(files), { mode: 0o600 });
}

describeWithOpa('a compiled bundle', () => {
  evaluatorSuite({
    async make() {
      const bundle = join(servers.folder(), 'bundle.tar.gz');
      await writeWasm(bundle, REGO, 'one');
      return {
        open: (evidence) => open(evidence, { bundle, reload_interval_ms: 50 }),
        change: () => writeWasm(bundle, SHUT, 'two'),
      };
    },
    close: () => servers.close(),
    constrains: true,
    versioned: true,
  });
});

function writeRego(file: string, rego: string, revision: string): void {
  const files = new Map<string, Uint8Array>([
    ['.manifest', Buffer.from(JSON.stringify({ revision, roots: ['suite'] }))],
    ['suite.rego', Buffer.from(rego)],
  ]);
  writeFileSync(file, writeBundle(files));
}

function opaKind(discovery_path: string | null, place: 'socket' | 'port'): BackendKind {
  return {
    async make() {
      const folder = servers.folder();
      const bundle = join(folder, 'bundle.tar.gz');
      writeRego(bundle, REGO, 'one');
      const at = place === 'socket' ? { socket: join(folder, 's') } : { port: await freePort() };
      const server = servers.keep(opaAtPlace(at, '-b', bundle));
      await server.start();
      const remote = { ...IMPATIENT, ...server.remote, path: ENTRYPOINTS[0], discovery_path };
      return {
        open: (evidence) => open(evidence, { backend: 'opa', remote }),
        change: () => writeRego(bundle, SHUT, 'two'),
        server,
      };
    },
    close: () => servers.close(),
    constrains: true,
    versioned: true,
  };
}

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

const CERBOS = join(import.meta.dirname, 'authzen_pdp/cerbos');

function cerbosKind(place: 'socket' | 'port'): BackendKind {
  return {
    async make() {
      const folder = servers.folder();
      const policies = join(folder, 'policies');
      mkdirSync(policies);
      const publish = (name: string): void =>
        writeFileSync(join(policies, 'tool.yaml'), readFileSync(join(CERBOS, name)));
      publish('tool.yaml');
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
        change: () => publish('shut.yaml'),
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

const ROLES = `roles:
  tellers:
    grants:
      - {capability: 'tool:fine', actions: [execute], decision: allow}
      - {capability: 'tool:refused', actions: [list], decision: allow}
      - {capability: 'tool:approval', actions: [execute], decision: require_approval}
      - capability: tool:actor
        actions: [execute]
        decision: allow
        constraints: {actor_required: human}
`;
const NO_ROLES = 'roles: {}\n';

describe('a file of roles', () => {
  evaluatorSuite({
    async make() {
      const rbac_file = join(servers.folder(), 'roles.yaml');
      writeFileSync(rbac_file, ROLES);
      return {
        open: (evidence) =>
          open(evidence, { backend: 'static_rbac', rbac_file, reload_interval_ms: 50 }),
        change: () => writeFileSync(rbac_file, NO_ROLES),
      };
    },
    close: () => servers.close(),
    constrains: true,
    versioned: true,
  });
});

const SEP: BackendKind = {
  async make() {
    const folder = servers.folder();
    const rbac_file = join(folder, 'roles.yaml');
    writeFileSync(rbac_file, ROLES);
    const place = { socket: join(folder, 's') };
    const server = servers.keep(portcullisAtPlace(place, rbac_file, folder));
    await server.start();
    const remote = { ...IMPATIENT, ...server.remote };
    return {
      open: (evidence) => open(evidence, { backend: 'sep', remote }),
      change: () => writeFileSync(rbac_file, NO_ROLES),
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
