/**
 * Row 20: what runs beside the decision service reaches its control API over the loopback of their
 * host. A wrapped server is such a neighbour: it may open connections, and it holds no credential.
 */
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { readTokens } from '../../src/pdp/token_file.ts';
import { ROUTES } from '../../src/pdp/routes.ts';
import { Host } from '../cli/wrap_fixture.ts';
import { privateFolder } from '../pdp/fixture.ts';
import { closing, service, type Service } from './support/service.ts';

const PROWLER = join(import.meta.dirname, 'support/prowler_process.ts');

/** Whoever is answered learns what somebody else may do. */
const QUESTION = JSON.stringify({
  subject: { type: 'identity', id: 'user:auditor' },
  action: { name: 'tools/call' },
  resource: { type: 'tool', id: 'secret', properties: { server: 'bank' } },
});

const DOORS = ROUTES.filter(({ scope }) => scope !== null).map(({ method, path }) => ({
  method,
  path,
  ...(method === 'POST' && { body: QUESTION }),
}));

const OPEN_TO_ANYBODY = { method: 'GET', path: '/health/live' };

/** The doors that opened for a wrapped server; `given` are variables that are named for it. */
async function opened(serving: Service, given: Record<string, string> = {}): Promise<unknown> {
  const { path, remove } = privateFolder();
  closing({ close: remove });
  const names = Object.keys(given).flatMap((name) => ['--env', name]);
  const own = ['--server', 'bank', '--data', join(path, 'state'), ...names];
  const host = new Host(['wrap', ...own, '--', process.execPath, PROWLER], {
    ...given,
    PORTCULLIS_DECISION_POINT_URL: serving.url,
    PORTCULLIS_DECISION_POINT_TOKEN_FILE: serving.token_file,
    PORTCULLIS_GUARD_ENVIRONMENT_DEPLOYMENT: 'production',
    PORTCULLIS_GUARD_SUBJECT_GROUPS: 'tellers',
  });
  closing({ close: () => host.process.kill('SIGKILL') });
  await host.greet();
  const { host: address } = new URL(serving.url);
  const doors = [...DOORS, OPEN_TO_ANYBODY];
  const asked = { url: serving.url, doors, hosts: [address, 'localhost', 'attacker.example'] };
  const { result } = await host.ask(1, 'tools/call', { name: 'balance', arguments: asked });
  const { content } = result as { content: { text: string }[] };
  return JSON.parse(content[0]?.text ?? '');
}

test('a wrapped server reaches the service, and no door of it opens', async () => {
  expect(await opened(await service())).toEqual(['GET /health/live']);
});

test('one that was handed the token finds them open', async () => {
  const serving = await service();
  const [held] = readTokens(serving.token_file);
  expect(await opened(serving, { LEAKED: String(held?.token) })).toEqual(
    expect.arrayContaining(['POST /access/v1/evaluation', 'GET /v1/status']),
  );
});
