/**
 * The other half of rows 2 and 3: an upstream answers under another status, media type or kind of
 * event than the guard looks into, and its client reads it all the same.
 */
import { describe, expect } from '@jest/globals';
import type { ServerResponse } from 'node:http';
import { Bank, callOf } from './support/bank.ts';
import { overHttp, webHandle, type Handle, type HttpWire } from './support/doors.ts';
import { answersOf } from './support/lenient.ts';
import { bypass, type Attack } from './support/outcome.ts';
import { WITH_CUSTOMER } from './support/policy.ts';
import type { Open, Said } from './support/targets.ts';
import { wrappedHttp } from './support/wrapped.ts';

type Tell = (res: ServerResponse, answer: string) => unknown;
const plain =
  (status: number, type: string, before = ''): Tell =>
  (res, answer) =>
    res.writeHead(status, { 'content-type': type }).end(before + answer);
const event =
  (head: string): Tell =>
  (res, answer) =>
    res.writeHead(200, { 'content-type': 'text/event-stream' }).end(`${head}data: ${answer}\n\n`);

const TELLINGS: Record<string, Tell> = {
  'as text': plain(200, 'text/plain'),
  'as bytes': plain(200, 'application/octet-stream'),
  'as JSON of another kind': plain(200, 'application/vnd.mcp+json'),
  'as created': plain(201, 'application/json'),
  'as a part': plain(206, 'application/json'),
  'as an error of the server': plain(500, 'application/json'),
  'as an error of the client': plain(404, 'application/json'),
  'after a byte order mark': plain(200, 'application/json', '\ufeff'),
  'as events of another media type': plain(200, 'text/event-stream+json', 'data: '),
  'as an event of another kind': event('event: result\n'),
  'as a batch': (res, answer) => plain(200, 'application/json')(res, `[${answer}]`),
  'as a batch in an event': (res, answer) => event('')(res, `[${answer}]`),
  'as a notification': (res, answer) =>
    event('')(
      res,
      answer.replace('{', '{"method":"notifications/message",').replace(/"id":[^,]*,/, ''),
    ),
  'with a method': (res, answer) => event('')(res, answer.replace('{', '{"method":"tools/call",')),
};

/** A server that answers the call for a customer so, and all else as it should. */
const upstream =
  (tell: Tell) =>
  (bank: Bank): Handle =>
  async (req, res) => {
    let text = '';
    for await (const chunk of req) text += String(chunk);
    const message: Said = text === '' ? {} : JSON.parse(text);
    const [answer] = answersOf(bank, message);
    if (answer === undefined) return res.writeHead(req.method === 'POST' ? 202 : 405).end();
    const odd = message.params?.name === 'customer';
    return (odd ? tell : plain(200, 'application/json'))(res, JSON.stringify(answer));
  };

/** What of it is an answer with a record in it; of the rest nobody makes anything. */
function recordIn(text: string): boolean {
  try {
    const { result }: Said = JSON.parse(text);
    return result?.structuredContent !== undefined;
  } catch {
    return false;
  }
}

/** A proxy that masks JSON of 200, and passes the rest as it comes. */
const masking =
  (tell: Tell): Open<HttpWire> =>
  async () => {
    const bank = new Bank();
    const behind = await overHttp(upstream(tell)(bank));
    const handle = webHandle(async (_request, body) => {
      const headers = { 'content-type': 'application/json' };
      const response = await fetch(behind.url, { method: 'POST', headers, body });
      const { status } = response;
      const type = response.headers.get('content-type') ?? '';
      const text = Buffer.from(await response.arrayBuffer()).toString();
      const looked = status === 200 && type === 'application/json' && recordIn(text);
      return new Response(looked ? '{}' : text, { status, headers: { 'content-type': type } });
    });
    return { ...(await overHttp(handle, { close: () => behind.close() })), bank };
  };

describe.each(Object.entries(TELLINGS))('a record that is to be masked, told %s', (_how, tell) => {
  const attack: Attack<HttpWire> = async ({ bank, say }) => {
    await say(JSON.stringify(callOf('customer')));
    expect(bank.done).toContain('customer');
  };
  bypass(attack, {
    held: { 'a wrapper': wrappedHttp(upstream(tell), { data: WITH_CUSTOMER, as: 'bot' }) },
    breached: { 'a proxy that masks JSON': masking(tell) },
  });
});
