import { chmodSync, lstatSync, mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { ALLOWED, privateFolder, recordingCore, send, start, type Started } from './fixture.ts';

let folder: ReturnType<typeof privateFolder>;
const opened: { close(): unknown }[] = [];
beforeEach(() => {
  folder = privateFolder();
});
afterEach(async () => {
  for (const each of opened.splice(0).reverse()) await each.close();
  folder.remove();
});

async function open(settings: Parameters<typeof start>[1]): Promise<Started> {
  const service = await start(recordingCore(), settings);
  opened.push(service);
  return service;
}

function failure(message: string) {
  return expect.objectContaining({ code: 'LISTEN_FAILED', message });
}

async function listenBeside(path: string): Promise<Server> {
  const server = createServer().listen(path);
  await once(server, 'listening');
  opened.push(server);
  return server;
}

test('both addresses serve one core, the socket without a token and under any host', async () => {
  const socket = join(folder.path, 'run', 'pdp.sock');
  const service = await open({ socket });
  expect(service.addresses).toEqual({ url: `http://127.0.0.1:${service.port}`, socket });
  const answers = await Promise.all([
    send(service.url, '/access/v1/evaluation', { body: '{}' }),
    send('http://any.host', '/access/v1/evaluation', {
      body: '{}',
      socketPath: socket,
      headers: { authorization: '' },
    }),
  ]);
  expect(answers.map(({ status, body }) => [status, body])).toEqual([
    [200, ALLOWED],
    [200, ALLOWED],
  ]);
});

test('the socket and its folder are open to their owner only', async () => {
  const socket = join(folder.path, 'run', 'pdp.sock');
  await open({ listen: null, socket });
  expect(statSync(join(folder.path, 'run')).mode & 0o777).toBe(0o700);
  expect(statSync(socket).mode & 0o777).toBe(0o600);
});

test('the metadata do not repeat the host that a socket was asked under', async () => {
  const socket = join(folder.path, 'pdp.sock');
  await open({ listen: null, socket });
  const path = '/.well-known/authzen-configuration';
  const sent = await send('http://evil.example', path, { method: 'GET', socketPath: socket });
  expect(sent.body).toMatchObject({ policy_decision_point: 'http://localhost' });
});

test('a port in use is named', async () => {
  const { port } = await open({});
  await expect(start(recordingCore(), { listen: `127.0.0.1:${port}` })).rejects.toEqual(
    failure(`cannot listen on 127.0.0.1:${port}: another process listens there`),
  );
});

test('where one address cannot be had, the other is released again', async () => {
  const { port } = await open({});
  const taken = join(folder.path, 'pdp.sock');
  await listenBeside(taken);
  const refused = start(recordingCore(), { listen: '127.0.0.1:0', socket: taken });
  await expect(refused).rejects.toEqual(failure(`another process listens on \`${taken}\``));
  const socket = join(folder.path, 'free.sock');
  const half = start(recordingCore(), { listen: `127.0.0.1:${port}`, socket });
  await expect(half).rejects.toMatchObject({ code: 'LISTEN_FAILED' });
  await open({ listen: null, socket });
});

test.each(['8181', 'localhost', '127.0.0.1:99999', '::1:8181', 'a/b:1', ''])(
  'the address `%s` is refused',
  async (listen) => {
    await expect(start(recordingCore(), { listen })).rejects.toEqual(
      failure(`the address \`${listen}\` is not of the form host:port`),
    );
  },
);

test('a service that listens nowhere is refused', async () => {
  await expect(start(recordingCore(), { listen: null })).rejects.toEqual(
    expect.objectContaining({ code: 'CONFIGURATION_INVALID', pointer: '/pdp' }),
  );
});

test('an IPv6 address stands in brackets', async () => {
  const service = await open({ listen: '[::1]:0' });
  expect(service.url).toBe(`http://[::1]:${service.port}`);
  expect((await send(service.url, '/health/live', { method: 'GET' })).status).toBe(200);
});

test('the socket of a killed process is replaced', async () => {
  const socket = join(folder.path, 'pdp.sock');
  const path = JSON.stringify(socket);
  const script = `require('net').createServer().listen(${path}, () => console.log())`;
  const child = spawn(process.execPath, ['-e', script]);
  await once(child.stdout, 'data');
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(lstatSync(socket).isSocket()).toBe(true);
  await open({ listen: null, socket });
  const sent = await send('http://localhost', '/health/live', {
    method: 'GET',
    socketPath: socket,
  });
  expect(sent.status).toBe(200);
});

test('a file in the place of the socket stays', async () => {
  const socket = join(folder.path, 'pdp.sock');
  writeFileSync(socket, 'kept');
  await expect(start(recordingCore(), { listen: null, socket })).rejects.toEqual(
    failure(`\`${socket}\` exists and is not a socket`),
  );
});

test.each([
  [0o755, 'the socket folder is open to others (run: chmod 700 %)'],
  [0o710, 'the socket folder is open to others (run: chmod 700 %)'],
])('a socket folder of mode %o is refused', async (mode, message) => {
  const run = join(folder.path, 'run');
  mkdirSync(run);
  chmodSync(run, mode);
  const refused = start(recordingCore(), { listen: null, socket: join(run, 'pdp.sock') });
  await expect(refused).rejects.toEqual(failure(message.replace('%', run)));
});

test('a socket folder in a parent that others can write is refused', async () => {
  const run = join(folder.path, 'run');
  mkdirSync(run, { mode: 0o700 });
  chmodSync(folder.path, 0o777);
  const refused = start(recordingCore(), { listen: null, socket: join(run, 'pdp.sock') });
  await expect(refused).rejects.toEqual(
    failure(
      `the socket folder is not safe: \`${folder.path}\` can be written by others ` +
        `(run: chmod go-w ${folder.path})`,
    ),
  );
});

test('a socket folder behind a link is judged by where it lies', async () => {
  const open777 = join(folder.path, 'open');
  mkdirSync(join(open777, 'run'), { recursive: true, mode: 0o700 });
  chmodSync(open777, 0o777);
  symlinkSync(join(open777, 'run'), join(folder.path, 'run'));
  const socket = join(folder.path, 'run', 'pdp.sock');
  await expect(start(recordingCore(), { listen: null, socket })).rejects.toMatchObject({
    code: 'LISTEN_FAILED',
  });
});

test('a socket path that the system cannot hold is refused', async () => {
  const socket = join(folder.path, 'x'.repeat(108));
  await expect(start(recordingCore(), { listen: null, socket })).rejects.toMatchObject({
    code: 'LISTEN_FAILED',
    message: expect.stringMatching(/ is longer than 10[37] bytes$/),
  });
});

test('a socket folder that cannot be made is named', async () => {
  const file = join(folder.path, 'file');
  writeFileSync(file, '');
  const socket = join(file, 'run', 'pdp.sock');
  await expect(start(recordingCore(), { listen: null, socket })).rejects.toEqual(
    failure(`cannot use the socket folder \`${join(file, 'run')}\`: a part of the path is a file`),
  );
});
