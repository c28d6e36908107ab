/** A backend by itself, and the server that it asks, which keeps what it was sent. */
import { openForeignClient, type ForeignClient } from '../../../src/decision/foreign/client.ts';
import { IMPATIENT } from '../suite_world.ts';
import { pretend } from '../remote/fixture.ts';
import { Servers } from './processes.ts';

/** What was parsed from JSON: the tests know its shape. */
type Json = ReturnType<typeof JSON.parse>;

export interface Sent {
  path: string;
  body: Json;
}

/** What it answers: a status, or the body of a 200. */
export type Answering = (sent: Sent) => unknown;

export const servers = new Servers();

export interface Asked<Backend> {
  backend: Backend;
  url: string;
  sent: Sent[];
  /** From now on it answers so. */
  answer(next: Answering): void;
}

export async function askedOver<Backend>(
  backendOf: (client: ForeignClient, url: string) => Backend,
  { answering, base = '' }: { answering: Answering; base?: string },
): Promise<Asked<Backend>> {
  const sent: Sent[] = [];
  let answers = answering;
  const server = servers.keep(
    await pretend((request, bytes, response) => {
      const body = bytes.length > 0 ? JSON.parse(String(bytes)) : undefined;
      const each = { path: request.url ?? '', body };
      sent.push(each);
      const answer = answers(each);
      const status = typeof answer === 'number' ? answer : 200;
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(answer));
    }),
  );
  const url = server.url + base;
  const settings = { ...IMPATIENT, address: { url }, request_bytes_max: 65_536 };
  const client = servers.keep(openForeignClient(settings, {}, { id: () => crypto.randomUUID() }));
  return { backend: backendOf(client, url), url, sent, answer: (next) => (answers = next) };
}
