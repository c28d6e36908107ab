/**
 * One server and one client, unchanged, before everything that can decide: what is another is a
 * line of the configuration.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from '@jest/globals';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import {
  cerbosAtPlace,
  describeWithCerbos,
  freePort,
  opaAtPlace,
  Servers,
} from '../decision/foreign/processes.ts';
import {
  ENTRYPOINTS,
  writeCerbos,
  writeRego,
  writeRoles,
  writeWasm,
} from '../decision/suite_policies.ts';
import { LINES, type Line } from '../pep/support/servers.ts';
import { describeWithOpa } from '../support/toolchain.ts';
import { serve } from './fixture.ts';

const servers = new Servers();
afterEach(() => servers.close());

const SERVER = fileURLToPath(new URL('guarded_process.ts', import.meta.url));

/** What is the same before all of them. */
const COMMON = `
guard:
  server: payments
  subject: { id: "user:alice@example.com", actor_type: human, groups: [tellers] }
`;

const EMBEDDED = 'decision_point: { embedded: true, timeout_ms: 5000 }\n';
const inline = (value: object): string => JSON.stringify(value);

/** The lines that say who decides, with all that they name in place. */
const BACKENDS: Record<string, (folder: string) => Promise<string>> = {
  async 'in process'(folder) {
    const bundle = join(folder, 'bundle.tar.gz');
    await writeWasm(bundle, 'open');
    return `${EMBEDDED}policy: ${inline({ backend: 'wasm', bundle })}\n`;
  },
  async 'a sidecar'(folder) {
    const bundle = join(folder, 'bundle.tar.gz');
    await writeWasm(bundle, 'open');
    const { socket, stop } = await serve('--bundle', bundle, '--data', folder, '--listen', 'null');
    servers.keep({ close: () => stop('SIGTERM') });
    return `decision_point: ${inline({ socket, timeout_ms: 5000 })}\n`;
  },
  async 'a file of roles'(folder) {
    const rbac_file = join(folder, 'roles.yaml');
    writeRoles(rbac_file, 'open');
    return `${EMBEDDED}policy: ${inline({ backend: 'static_rbac', rbac_file })}\n`;
  },
  async 'an OPA server'(folder) {
    const bundle = join(folder, 'bundle.tar.gz');
    writeRego(bundle, 'open');
    const server = servers.keep(opaAtPlace({ socket: join(folder, 's') }, '-b', bundle));
    await server.start();
    const remote = { ...server.remote, path: ENTRYPOINTS[0], discovery_path: ENTRYPOINTS[1] };
    return `${EMBEDDED}policy: ${inline({ backend: 'opa', remote })}\n`;
  },
  async Cerbos(folder) {
    const policies = join(folder, 'policies');
    writeCerbos(policies, 'open');
    const server = servers.keep(cerbosAtPlace({ port: await freePort() }, policies, folder));
    await server.start();
    const remote = { ...server.remote, roles_member: 'cerbos.roles' };
    return `${EMBEDDED}policy: ${inline({ backend: 'authzen', remote })}\n`;
  },
};

async function connect(line: Line, configuration: string): Promise<Client> {
  const cwd = servers.folder();
  writeFileSync(join(cwd, 'portcullis.yaml'), configuration);
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: ['--conditions=portcullis-source', SERVER, String(line)],
    env: { PATH: process.env.PATH ?? '', XDG_STATE_HOME: cwd },
    cwd,
    stderr: 'ignore',
  });
  const client = servers.keep(new Client({ name: 'test', version: '1.0.0' }));
  await client.connect(transport);
  return client;
}

/** What all can say alike; the words of a refusal are those of the policy. */
async function sessionOf(client: Client): Promise<object> {
  const call = (name: string) => client.callTool({ name, arguments: {} });
  const refused = await call('refused');
  const absent = await call('unheard').catch(String);
  const hidden = await call('secret').catch(String);
  const known = ['fine', 'refused'];
  const { tools } = await client.listTools();
  return {
    tools: tools.map(({ name }) => name).filter((name) => known.includes(name)),
    shown: tools.some(({ name }) => name === 'secret'),
    fine: (await call('fine')).content,
    refused: [refused.isError, refused.content],
    isHidden: JSON.stringify(hidden) === JSON.stringify(absent).replace('unheard', 'secret'),
  };
}

const EXPECTED = {
  tools: ['fine', 'refused'],
  shown: false,
  fine: [{ type: 'text', text: 'did fine' }],
  refused: [true, [{ type: 'text', text: 'The server policy does not allow this operation.' }]],
  isHidden: true,
};

const ROWS = LINES.flatMap((line) => Object.keys(BACKENDS).map((name) => ({ line, name })));

function sessions(names: (name: string) => boolean, title: string): void {
  test.each(ROWS.filter(({ name }) => names(name)))(title, async ({ line, name }) => {
    const lines = await BACKENDS[name]?.(servers.folder());
    expect(await sessionOf(await connect(line, COMMON + lines))).toEqual(EXPECTED);
  });
}

const TITLE = 'a client is answered alike where $name decides, SDK $line.x';

describeWithOpa('one line of the configuration', () => {
  sessions((name) => name !== 'Cerbos', `[E-15] ${TITLE}`);
});

describeWithCerbos('the same line', () => {
  sessions((name) => name === 'Cerbos', TITLE);
});
