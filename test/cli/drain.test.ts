/** A running service that is told to stop, or given other tokens, while it is asked. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Pool } from 'undici';
import { SCOPES } from '../../src/pdp/authentication.ts';
import { changeHashedTokens, hashedToken } from '../../src/pdp/token_hashes.ts';
import { EVALUATION, serveAuthzen, type AuthzenService } from '../pdp/authzen/fixture.ts';
import { describeWithOpa } from '../support/toolchain.ts';

const ASK = JSON.stringify({
  subject: { type: 'user', id: 'ann' },
  action: { name: 'can_read_todos' },
  resource: { type: 'todo', id: '1' },
});

describeWithOpa('a running service', () => {
  let service: AuthzenService;
  beforeEach(async () => {
    service = await serveAuthzen();
  });
  afterEach(() => service?.close());

  async function recordedIds(): Promise<string[]> {
    const decisions = (await service.records()).filter(({ kind }) => kind === 'decision');
    return decisions.map(({ evaluation_id }) => evaluation_id ?? '').sort();
  }

  test('[O-03] SIGTERM loses nothing: what is on record was answered', async () => {
    const headers = {
      authorization: `Bearer ${service.token}`,
      'content-type': 'application/json',
    };
    const pool = new Pool(service.serving.url, { connections: 8 });
    const answered: string[] = [];
    const enough = Promise.withResolvers<void>();
    const ask = async (): Promise<void> => {
      const answer = await pool.request({ method: 'POST', path: EVALUATION, headers, body: ASK });
      const { context } = (await answer.body.json()) as { context: { evaluation_id: string } };
      answered.push(context.evaluation_id);
      if (answered.length === 200) enough.resolve();
      return ask();
    };
    const callers = Array.from({ length: 32 }, () =>
      ask().catch(({ code }: Error & { code: string }) => code),
    );
    await enough.promise;
    expect(await service.serving.stop('SIGTERM')).toBe(0);
    const ends = new Set(await Promise.all(callers));
    await pool.destroy();
    expect(['ECONNREFUSED', 'ECONNRESET', 'UND_ERR_SOCKET']).toEqual(
      expect.arrayContaining([...ends]),
    );
    expect(await recordedIds()).toEqual(answered.sort());
  });

  test('[O-03] SIGTERM lets a request finish that had begun, and no other', async () => {
    const head =
      `POST ${EVALUATION} HTTP/1.1\r\nHost: 127.0.0.1:${service.port}\r\n` +
      `Authorization: Bearer ${service.token}\r\nContent-Type: application/json\r\n` +
      `Content-Length: ${ASK.length}\r\n\r\n`;
    const socket = connect(service.port, '127.0.0.1');
    let received = '';
    socket.on('data', (chunk: Buffer) => (received += chunk.toString()));
    socket.write(head + ASK + head + ASK.slice(0, 20));
    await once(socket, 'data');
    const exited = service.serving.stop('SIGTERM');
    while (await isOpen(service.port));
    socket.write(ASK.slice(20) + head + ASK);
    await once(socket, 'close');
    expect(received.match(/HTTP\/1\.1 \d+|Connection: [a-z-]+|"decision":true/g)).toEqual([
      'HTTP/1.1 200',
      'Connection: keep-alive',
      '"decision":true',
      'HTTP/1.1 200',
      'Connection: close',
      '"decision":true',
    ]);
    expect(await exited).toBe(0);
    expect(await recordedIds()).toHaveLength(2);
  });

  test('another token counts without a restart, and the one before no longer', async () => {
    const token = 'another-token-0123456789abcdef012345';
    const hashes = join(dirname(service.serving.token_file), 'token_hashes.json');
    changeHashedTokens(hashes, () => [hashedToken(token, { id: 'second', scopes: SCOPES })]);
    const asked = { authorization: `Bearer ${token}` };
    while ((await service.post(EVALUATION, ASK, asked)).status === 401);
    const before = await service.post(EVALUATION, ASK);
    const now = await service.post(EVALUATION, ASK, asked);
    expect([before.status, now.status]).toEqual([401, 200]);
  });
});

/** Whether a new connection is taken. */
async function isOpen(port: number): Promise<boolean> {
  const probe: Socket = connect(port, '127.0.0.1');
  try {
    await once(probe, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    probe.destroy();
  }
}
