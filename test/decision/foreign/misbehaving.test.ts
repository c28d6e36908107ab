/** Policy servers that answer badly: whatever they say, nothing opens that they did not open. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { gzipSync } from 'node:zlib';
import { CALLER, callOf, codeOf, contextOf } from '../../support/decisions.ts';
import { json, liar, sceneAt, servers, type Asked, type Misbehave } from './fixture.ts';

afterEach(() => servers.close());

const ALLOWED: Record<Asked, string> = {
  opa: '{"result": true, "provenance": {"bundles": {"main": {"revision": "one"}}}}',
  authzen: '{"decision": true}',
};

const raw =
  (headers: Record<string, string | number>, ...chunks: (string | Uint8Array)[]): Misbehave =>
  (response) => {
    response.writeHead(200, { 'content-type': 'application/json', ...headers });
    for (const chunk of chunks) response.write(chunk);
    response.end();
  };

const UNREACHABLE: Record<string, (allowed: string) => Misbehave> = {
  'a status of 503': (allowed) => json(allowed, 503),
  'a status of 401': (allowed) => json(allowed, 401, { 'www-authenticate': 'Bearer' }),
  'a status of 403': (allowed) => json(allowed, 403),
  'a status of 404': (allowed) => json(allowed, 404),
  'a status of 201': (allowed) => json(allowed, 201),
  'no content': () => json('', 204),
  'a redirection': (allowed) => json(allowed, 307, { location: '/elsewhere' }),
  'more than the limit': (allowed) => json(allowed + ' '.repeat(5000)),
  'less than it announced': (allowed) => (response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': 5000 });
    response.write(allowed);
    response.destroy();
  },
  nothing: () => () => undefined,
  'the first half, and then nothing': (allowed) => (response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.write(allowed.slice(0, 9));
  },
  'the end of the connection': () => (response) => response.destroy(),
};

const INVALID: Record<string, (allowed: string) => Misbehave> = {
  HTML: (allowed) => json(`<p>${allowed}</p>`, 200, { 'content-type': 'text/html' }),
  'JSON that is called text': (allowed) => json(allowed, 200, { 'content-type': 'text/plain' }),
  'half of it': (allowed) => json(allowed.slice(0, -2)),
  'more after it': (allowed) => json(`${allowed}{}`),
  'nothing in it': () => json(''),
  'a name doubled': (allowed) => json(allowed.replace('{', '{"decision": false, "result": 1,')),
  'what is no UTF-8': (allowed) => raw({}, allowed.slice(0, -1), ', "x": "', Buffer.of(0xff), '"}'),
  'it packed': (allowed) => raw({ 'content-encoding': 'gzip' }, gzipSync(allowed)),
  'it nested too deep': (allowed) =>
    json(allowed.replace(/\}$/, `, "x": ${'['.repeat(100)}${']'.repeat(100)}}`)),
  'an array of it': (allowed) => json(`[${allowed}]`),
  null: () => json('null'),
  'a text': () => json('"true"'),
  'the answer to another request': (allowed) => json(allowed, 200, { 'x-request-id': 'another' }),
  'a status of 400': (allowed) => json(allowed, 400),
  ...Object.fromEntries(
    ['"true"', '1', 'null', '"allow"', '[true]', '{}', '{"decision": true}'].map((value) => [
      `${value} for true`,
      (allowed: string) => json(allowed.replace('true', value)),
    ]),
  ),
  'nothing of a decision': (allowed) => json(allowed.replace(/"(result|decision)": true,?/, '')),
};

describe.each<Asked>(['opa', 'authzen'])('asked as %s, a server that answers', (backend) => {
  const asks = async () => {
    const server = await liar();
    const scene = await sceneAt(backend, {
      url: server.url,
      response_bytes_max: 4096,
      timeout_ms: 1_500,
      silence_ms_max: 60_000,
    });
    const ask = () => scene.core.evaluation(callOf(), CALLER);
    expect(contextOf(await ask())).toMatchObject({ outcome: 'allow' });
    return { server, ask, ...scene };
  };

  test.each(Object.entries(UNREACHABLE))('%s gave no decision', async (_what, misbehaviour) => {
    const { server, ask, records } = await asks();
    server.act(misbehaviour(ALLOWED[backend]));
    expect(await codeOf(ask())).toBe('BACKEND_UNREACHABLE');
    expect((await records()).at(-1)).toMatchObject({ kind: 'backend_error' });
    server.act(undefined);
    expect(contextOf(await ask())).toMatchObject({ outcome: 'allow' });
  });

  test.each(Object.entries(INVALID))('%s decided nothing', async (_what, misbehaviour) => {
    const { server, ask, records } = await asks();
    server.act(misbehaviour(ALLOWED[backend]));
    expect(contextOf(await ask())).toMatchObject({
      outcome: 'deny',
      reason_code: 'POLICY_INDETERMINATE',
    });
    expect((await records()).at(-1)).toMatchObject({ kind: 'decision', decision: false });
    server.act(undefined);
    expect(contextOf(await ask())).toMatchObject({ outcome: 'allow' });
  });

  test.each([
    ['a redirection', json(ALLOWED[backend], 307, { location: '/elsewhere' }), 300],
    ['garbage', json('<p>'), 300],
    ['nothing', () => undefined, 300],
    // Whoever allows this allows everything: nothing is waited for.
    ['that nobody may do something', json(ALLOWED[backend]), 60_000],
  ])('%s to a look is no policy', async (_what, misbehave, silence_ms_max) => {
    const server = await liar();
    const { evaluator, core } = await sceneAt(backend, { url: server.url, silence_ms_max });
    const changed = Promise.withResolvers<void>();
    evaluator.watch(() => changed.resolve());
    server.actToLooks(misbehave);
    await changed.promise;
    expect(core.status().ready).toBe(false);
    expect(await codeOf(core.evaluation(callOf(), CALLER))).toBe('POLICY_ABSENT');
    expect(await codeOf(sceneAt(backend, { url: server.url }))).toMatch(
      /^BACKEND_|^BUNDLE_REFUSED/,
    );
  });

  test('a policy that lets nobody in is recorded as refused once, and may come back', async () => {
    const server = await liar();
    const scene = await sceneAt(backend, { url: server.url });
    const states: boolean[] = [];
    const back = Promise.withResolvers<void>();
    scene.core.watch(({ ready }) => {
      states.push(ready);
      server.actToLooks(undefined);
      if (ready) back.resolve();
    });
    server.actToLooks(json(ALLOWED[backend]));
    await back.promise;
    expect(states).toEqual([false, true]);
    expect(await scene.records()).toMatchObject([
      { kind: 'activation', status: 'activated' },
      { kind: 'activation', status: 'refused', detail: expect.stringContaining('nobody') },
      { kind: 'activation', status: 'activated' },
    ]);
  });
});
