/** The MCP inspector, a client that no one here wrote, before the guarded example server. */
import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { privateFolder } from '../pdp/fixture.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PACKAGE = createRequire(import.meta.url).resolve(
  '@modelcontextprotocol/inspector/package.json',
);
const INSPECTOR = join(dirname(PACKAGE), 'clients/launcher/build/index.js');

let folder: ReturnType<typeof privateFolder>;
beforeEach(() => {
  folder = privateFolder();
});
afterEach(() => folder.remove());

interface Inspected {
  code: number;
  stdout: string;
  stderr: string;
}

function inspect(...argv: string[]): Promise<Inspected> {
  const settings = {
    PORTCULLIS_DECISION_POINT_EMBEDDED: 'true',
    PORTCULLIS_POLICY_BUNDLE: join(ROOT, 'bundles', 'payments.tar.gz'),
    PORTCULLIS_STATE: join(folder.path, 'state'),
    PORTCULLIS_LOG_LEVEL: 'error',
    PORTCULLIS_GUARD_SERVER: 'payments',
    PORTCULLIS_GUARD_ENVIRONMENT_DEPLOYMENT: 'production',
    PORTCULLIS_GUARD_SUBJECT_ID: 'user:alice@example.com',
    PORTCULLIS_GUARD_SUBJECT_ACTOR_TYPE: 'human',
    PORTCULLIS_GUARD_SUBJECT_GROUPS: 'tellers',
  };
  const variables = Object.entries(settings).flatMap(([name, value]) => ['-e', `${name}=${value}`]);
  const server = [
    process.execPath,
    '--conditions=portcullis-source',
    join(ROOT, 'examples/payments-server/main.ts'),
  ];
  const env = { ...process.env, HOME: folder.path, MCP_INSPECTOR_SECRET_STORE: 'memory' };
  return new Promise((resolve) => {
    const args = [INSPECTOR, '--cli', ...variables, ...server, ...argv];
    execFile(process.execPath, args, { env }, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr });
    });
  });
}

test('it lists only what the policy allows', async () => {
  const { code, stdout, stderr } = await inspect('--method', 'tools/list');
  expect({ code, stderr }).toMatchObject({ code: 0 });
  const { tools } = JSON.parse(stdout) as { tools: { name: string }[] };
  expect(tools.map(({ name }) => name)).toEqual(['balance', 'transfer', 'customer']);
}, 60_000);

test('it cannot call the rest, and cannot tell it from what is not there', async () => {
  const calling = (tool: string) => inspect('--method', 'tools/call', '--tool-name', tool);
  const [hidden, absent] = [await calling('export_ledger'), await calling('no_such_tool')];
  const said = ({ stdout, stderr }: Inspected, tool: string): string =>
    (stdout + stderr).replaceAll(tool, 'TOOL');
  expect(hidden.code).toBe(5);
  expect(hidden.stdout + hidden.stderr).toContain('export_ledger');
  expect(said(hidden, 'export_ledger')).toBe(said(absent, 'no_such_tool'));
}, 60_000);

test('it calls what is allowed', async () => {
  const argv = ['--method', 'tools/call', '--tool-name', 'balance', '--tool-arg', 'account=acc-1'];
  const { code, stdout } = await inspect(...argv);
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ structuredContent: { account: 'acc-1' } });
}, 60_000);
