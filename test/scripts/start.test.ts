import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { privateFolder, send } from '../pdp/fixture.ts';

const SCRIPT = fileURLToPath(new URL('../../scripts/start.ts', import.meta.url));

let folder: ReturnType<typeof privateFolder>;
beforeEach(() => {
  folder = privateFolder();
});
afterEach(() => folder.remove());

async function listening(): Promise<{ port: number; close(): void }> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, close: () => server.close() };
}

async function freePort(): Promise<number> {
  const { port, close } = await listening();
  close();
  return port;
}

function start(port: number, variables: Record<string, string> = {}) {
  const env = {
    ...process.env,
    PORTCULLIS_STATE: join(folder.path, 'state'),
    PORTCULLIS_PDP_LISTEN: '127.0.0.1:0',
    ...variables,
  };
  const child = spawn(process.execPath, [SCRIPT, String(port)], { env });
  const output = { stdout: '', stderr: '' };
  const announced = new Promise<void>((resolve) => {
    child.stdout.on('data', (chunk: Buffer) => {
      output.stdout += chunk.toString();
      if (output.stdout.includes('Ctrl+C')) resolve();
    });
  });
  child.stderr.on('data', (chunk: Buffer) => {
    output.stderr += chunk.toString();
  });
  return { child, output, announced, ended: once(child, 'close') as Promise<[number | null]> };
}

test('what it prints works, and one signal ends all of it', async () => {
  const { child, output, announced, ended } = start(await freePort());
  await announced;
  const { stdout } = output;
  const pdp = /curl -s (http:\S+)\/v1\/decision/.exec(stdout)?.[1] ?? '';
  const authorization = /'Authorization: (Bearer \S+)'/.exec(stdout)?.[1] ?? '';
  const body = /-d '(\{.*\})'/.exec(stdout)?.[1] ?? '';
  const decision = await send(pdp, '/v1/decision', { headers: { authorization }, body });
  expect([decision.status, decision.body]).toMatchObject([200, { decision: 'allow' }]);
  const mcp = /--cli (http:\S+)\/mcp/.exec(stdout)?.[1] ?? '';
  expect((await send(mcp, '/mcp', { body: '{}', headers: { authorization: '' } })).status).toBe(
    401,
  );
  child.kill('SIGTERM');
  expect((await ended)[0]).toBe(0);
  for (const url of [pdp, mcp]) {
    await expect(send(url, '/', { method: 'GET' })).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  }
});

test('where the service cannot start nothing does, and its exit code is passed on', async () => {
  const taken = await listening();
  const { output, ended } = start(await freePort(), {
    PORTCULLIS_PDP_LISTEN: `127.0.0.1:${taken.port}`,
  });
  expect((await ended)[0]).toBe(3);
  taken.close();
  expect(output.stderr).toContain('LISTEN_FAILED: ');
  expect(output.stdout).toBe('');
});
