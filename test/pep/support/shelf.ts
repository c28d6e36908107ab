/** A server of either line with a prompt, resources and a template beside its tools. */
import { ResourceTemplate as Template1 } from '@modelcontextprotocol/sdk/server/mcp.js';
import { completable as completable1 } from '@modelcontextprotocol/sdk/server/completable.js';
import {
  completable as completable2,
  ResourceTemplate as Template2,
} from '@modelcontextprotocol/server';
import { z } from 'zod';
import { newServer, type HighServer, type Journal, type Line } from './servers.ts';

/** What both lines have beside tools. */
interface Shelf extends HighServer {
  registerPrompt(name: string, config: object, handler: (args: unknown) => object): void;
  registerResource(name: string, at: unknown, config: object, read: (uri: URL) => object): void;
  sendResourceListChanged(): void;
}

const RECORD = { account: 'a-1', ssn: '123' };
const json = (uri: string) => [
  { uri, mimeType: 'application/json', text: JSON.stringify(RECORD), _meta: { secret: 1 } },
];
const CODES = ['open', 'secret', 'shut'];

/**
 * Prompts `greet {name}` and `secret`; resources `file:///open`, `file:///secret` and
 * `file:///TEXT` (no JSON); the template `vault://box/{code}`, which knows no box `none`.
 */
export function buildShelf(line: Line, journal: Journal = { calls: [] }): Shelf {
  const server = newServer(line, { capabilities: { logging: {}, completions: {} } }) as Shelf;
  const [complete, Template] = line === 1 ? [completable1, Template1] : [completable2, Template2];
  const name = (complete as typeof completable2)(z.string(), () => ['Ann', 'Bob']);
  const did = (what: string, args: unknown) => journal.calls.push({ name: what, args, extra: 0 });
  for (const prompt of ['greet', 'secret']) {
    server.registerPrompt(
      prompt,
      { argsSchema: line === 1 ? { name } : z.object({ name }) },
      (args) => {
        did(prompt, args);
        const content = { type: 'text', text: JSON.stringify(RECORD) };
        return { description: 'd', messages: [{ role: 'user', content }] };
      },
    );
  }
  for (const at of ['file:///open', 'file:///secret', 'file:///TEXT']) {
    server.registerResource(at, at, { description: `what is at ${at}` }, (uri) => {
      did(uri.href, undefined);
      return { contents: at === 'file:///TEXT' ? [{ uri: at, text: 'free text' }] : json(at) };
    });
  }
  const options = { list: undefined, complete: { code: () => CODES } };
  const template = new Template('vault://box/{code}', options);
  server.registerResource('box', template, {}, (uri) => {
    did(uri.href, undefined);
    if (uri.href.endsWith('/none')) throw Object.assign(new Error('gone'), { code: -32002 });
    return { contents: json(uri.href) };
  });
  return server;
}
