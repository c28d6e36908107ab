/** Over TCP anybody may hold the port: only a proven answer to this very request counts. */
import type { IncomingMessage } from 'node:http';
import { afterEach, expect, test } from '@jest/globals';
import { Client } from 'undici';
import {
  answerProof,
  keysOf,
  PROOF_HEADERS,
  type AskedRequest,
} from '../../../src/contract/proof.ts';
import type { DecisionPoint } from '../../../src/contract/decision_point.ts';
import { ALLOWED, recordingCore, start, TOKEN, tokenOf, tokensOf } from '../../pdp/fixture.ts';
import { CALL, LIST, pretend, pretendRaw, remote, type Pretender } from './fixture.ts';

const opened: { close(): unknown }[] = [];
afterEach(async () => {
  for (const each of opened.splice(0).reverse()) await each.close();
});

function keep<T extends { close(): unknown }>(each: T): T {
  opened.push(each);
  return each;
}

const UNPROVED = { code: 'DECISION_POINT_UNPROVED' };
const FORGED = 'the proof of the answer is not for this request, or not made with our token';

interface Seen {
  request: AskedRequest;
  headers: Record<string, unknown>;
}

/** Holds the port and answers 200 `allow` with the proof that `forge` makes of what it saw. */
async function impersonate(
  forge: (seen: Seen) => string | undefined,
  at = 0,
): Promise<Pretender & { seen: Seen[] }> {
  const seen: Seen[] = [];
  const server = await pretend((incoming, body, response) => {
    const found = {
      request: {
        nonce: String(incoming.headers[PROOF_HEADERS.nonce]),
        method: String(incoming.method),
        target: String(incoming.url),
        body,
      },
      headers: incoming.headers,
    };
    seen.push(found);
    const proof = forge(found);
    response.writeHead(200, {
      'content-type': 'application/json',
      ...(proof === undefined ? {} : { [PROOF_HEADERS.proof]: proof }),
    });
    response.end(JSON.stringify(ALLOWED));
  }, at);
  return { ...keep(server), seen };
}

const KEYS = keysOf(TOKEN);
const answer = { status: 200, body: JSON.stringify(ALLOWED) };

test('a decision of the right decision point is taken, with each kind of request', async () => {
  const core = recordingCore();
  const { url } = keep(await start(core));
  const point = keep(remote({ url }));
  expect(await point.decide(CALL)).toEqual(ALLOWED);
  expect(await point.discover(LIST)).toEqual({
    evaluations: [{ decision: true }, { decision: true }],
  });
  await point.report({ evaluation_id: 'evaluation-1', status: 'executed' });
  expect((await point.describe()).ready).toBe(true);
  expect(core.asked.map(({ body }) => body)).toEqual([
    CALL,
    LIST,
    { evaluation_id: 'evaluation-1', status: 'executed' },
  ]);
});

test('the token never leaves the process', async () => {
  const { url, seen } = await impersonate(() => undefined);
  const point = keep(remote({ url }));
  await expect(point.decide(CALL)).rejects.toMatchObject(UNPROVED);
  expect(JSON.stringify(seen[0]?.headers)).toContain('Portcullis caller.');
  expect(JSON.stringify([seen[0]?.headers, String(seen[0]?.request.body)])).not.toContain(TOKEN);
});

test.each<[string, (seen: Seen) => string | undefined, string]>([
  ['no proof', () => undefined, 'the answer carries no proof'],
  ['an empty proof', () => '', FORGED],
  [
    'a proof of another token',
    ({ request }) => answerProof(keysOf('other'), request, answer),
    FORGED,
  ],
  [
    'the proof that the request carried',
    ({ headers }) => String(headers.authorization).split('.').at(-1),
    FORGED,
  ],
  [
    'a proof for another nonce',
    ({ request }) => answerProof(KEYS, { ...request, nonce: crypto.randomUUID() }, answer),
    FORGED,
  ],
  [
    'a proof for another request',
    ({ request }) => answerProof(KEYS, { ...request, body: '{}' }, answer),
    FORGED,
  ],
  [
    'a proof for another route',
    ({ request }) => answerProof(KEYS, { ...request, target: '/v1/decision' }, answer),
    FORGED,
  ],
  [
    'a proof for another answer',
    ({ request }) => answerProof(KEYS, request, { ...answer, body: '{"decision":false}' }),
    FORGED,
  ],
  [
    'a proof for another status',
    ({ request }) => answerProof(KEYS, request, { ...answer, status: 400 }),
    FORGED,
  ],
])('whoever answers with %s is not believed', async (_what, forge, message) => {
  const { url } = await impersonate(forge);
  const point = keep(remote({ url }));
  await expect(point.decide(CALL)).rejects.toMatchObject({ ...UNPROVED, message });
});

test('a true answer to an earlier request of the same words is not believed', async () => {
  const { url } = keep(await start(recordingCore()));
  const { host } = new URL(url);
  const answers: { proof: string; text: string }[] = [];
  const relayed = async (incoming: IncomingMessage, body: Buffer) => {
    const headers = { ...(incoming.headers as Record<string, string>), host };
    const client = new Client(url);
    const path = incoming.url ?? '';
    const genuine = await client.request({ method: 'POST', path, headers, body });
    const proof = String(genuine.headers[PROOF_HEADERS.proof]);
    answers.push({ proof, text: await genuine.body.text() });
    await client.close();
  };
  const relay = keep(
    await pretend((incoming, sent, response) => {
      void relayed(incoming, sent).then(() => {
        const proof = answers[0]?.proof;
        const type = { 'content-type': 'application/json' };
        response.writeHead(200, { ...type, [PROOF_HEADERS.proof]: proof }).end(answers[0]?.text);
      });
    }),
  );
  const point = keep(remote({ url: relay.url }));
  expect(await point.decide(CALL)).toEqual(ALLOWED);
  await expect(point.decide(CALL)).rejects.toMatchObject({ ...UNPROVED, message: FORGED });
  expect(new Set(answers.map(({ proof }) => proof)).size).toBe(2);
  expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
});

test('a connection that is reset, and a port where nobody listens, give no decision', async () => {
  const server = await pretendRaw((socket) => socket.once('data', () => socket.resetAndDestroy()));
  const point = keep(remote({ url: server.url }));
  const reason = (text: string) => ({
    code: 'DECISION_POINT_UNREACHABLE',
    message: `the decision point gave no decision: ${text}`,
  });
  await expect(point.decide(CALL)).rejects.toMatchObject(reason('it broke the connection off'));
  await server.close();
  await expect(point.decide(CALL)).rejects.toMatchObject(reason('nobody listens there'));
});

test('a stranger who takes the port while the service is down is not believed', async () => {
  const service = await start(recordingCore());
  const point: DecisionPoint = keep(remote({ url: service.url }));
  expect(await point.decide(CALL)).toEqual(ALLOWED);
  await service.close();
  await expect(point.decide(CALL)).rejects.toMatchObject({ code: 'DECISION_POINT_UNREACHABLE' });
  const stranger = await impersonate(({ headers }) => String(headers.authorization), service.port);
  await expect(point.decide(CALL)).rejects.toMatchObject(UNPROVED);
  await expect(point.describe()).rejects.toMatchObject(UNPROVED);
  await stranger.close();
  opened.splice(opened.indexOf(stranger), 1);
  keep(await start(recordingCore(), { listen: `127.0.0.1:${service.port}` }));
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(await point.decide(CALL)).toEqual(ALLOWED);
});

test('a token that the service does not know gets no decision', async () => {
  const { url } = keep(await start(recordingCore()));
  const point = keep(remote({ url, token: 'another-token-0123456789abcdef012345' }));
  await expect(point.decide(CALL)).rejects.toMatchObject({
    code: 'DECISION_POINT_UNREACHABLE',
    message: 'the decision point gave no decision: it answered with status 401 and UNAUTHENTICATED',
  });
});

test('a rotated token counts from the next request', async () => {
  let token = TOKEN;
  const rotated = 'another-token-0123456789abcdef012345';
  const { url } = keep(
    await start(recordingCore(), {}, tokensOf(tokenOf(['decide'], 'caller', rotated))),
  );
  const held = () => tokenOf([], 'caller', token);
  const point = keep(remote({ url }, { address: { url, token: held } }));
  await expect(point.decide(CALL)).rejects.toMatchObject({ code: 'DECISION_POINT_UNREACHABLE' });
  token = rotated;
  expect(await point.decide(CALL)).toEqual(ALLOWED);
});

test.each([
  '127.0.0.1:8181',
  'ftp://127.0.0.1',
  'http://127.0.0.1/pdp',
  'http://a:b@127.0.0.1',
  '',
])('the url `%s` is refused', (url) => {
  expect(() => remote({ url })).toThrow(
    expect.objectContaining({ code: 'CONFIGURATION_INVALID', pointer: '/decision_point/url' }),
  );
});
