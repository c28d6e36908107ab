/** A relay between a host and a server that are both the test. */
import { PassThrough } from 'node:stream';
import { Relay, type RelaySettings } from '../../../src/gateway/stdio/relay.ts';
import { Connection, shareOf } from '../../../src/pep/connection.ts';
import type { Wire } from '../../../src/pep/ends.ts';
import { PolicyWatches } from '../../../src/pep/policy_watch.ts';
import { testParts, type TestParts } from '../../pep/support/parts.ts';
import type { Script } from '../../pep/support/scripted.ts';
import { HELLO } from '../../pep/support/rig.ts';
import { plainTool, said } from '../../pep/support/servers.ts';

export type Message = Record<string, unknown>;

/** One end of the wire: it sends bytes, and gathers the messages that come. */
export class End {
  readonly out = new PassThrough();
  readonly in = new PassThrough();
  readonly lines: unknown[] = [];
  #rest = '';
  #wake: (() => void)[] = [];

  /** Reads what comes; without it, nobody does. */
  listen(): this {
    this.in.on('data', (chunk: Buffer) => {
      const parts = (this.#rest + chunk.toString()).split('\n');
      this.#rest = parts.pop() ?? '';
      this.lines.push(...parts.map((line) => JSON.parse(line) as unknown));
      for (const wake of this.#wake.splice(0)) wake();
    });
    return this;
  }

  say(...messages: unknown[]): void {
    for (const message of messages) this.sayText(`${JSON.stringify(message)}\n`);
  }

  sayText(text: string | Uint8Array): void {
    this.out.write(text);
  }

  /** The first line that fits, or the first at all. */
  async heard(fits: (line: unknown) => boolean = () => true): Promise<Message> {
    for (;;) {
      const found = this.lines.find(fits);
      if (found !== undefined) return found as Message;
      await new Promise<void>((resolve) => this.#wake.push(resolve));
    }
  }

  answerTo(id: unknown): Promise<Message> {
    return this.heard(
      (line) => (line as Message)['id'] === id && !Object.hasOwn(Object(line), 'method'),
    );
  }
}

export interface RelayRig {
  host: End;
  server: End;
  relay: Relay;
  parts: TestParts;
}

/** What opens a guard, and what it works with. */
export function opening(script: Script = {}): {
  open: (wire: Wire) => Connection;
  parts: TestParts;
} {
  const parts = testParts(script);
  const watches = new PolicyWatches(parts.decisionPoint, parts.settings, parts.log);
  const shared = shareOf(parts, watches);
  return { open: (wire) => new Connection(parts, shared, 2, wire), parts };
}

export function relayed(
  script: Script = {},
  settings: Partial<RelaySettings> = {},
  answering = true,
): RelayRig {
  const { open, parts } = opening(script);
  const host = new End();
  const server = new End().listen();
  if (answering) answer(server);
  const relay = new Relay(
    { stdin: host.out, stdout: host.in },
    { stdin: server.in, stdout: server.out },
    open,
    { message_bytes_max: 65_536, ...settings },
    parts.log,
  );
  return { host, server, relay, parts };
}

/** Past the handshake of a revision. */
export async function greeted(
  script: Script = {},
  settings: Partial<RelaySettings> = {},
  protocolVersion = '2025-11-25',
): Promise<RelayRig> {
  const rig = relayed(script, settings);
  rig.host.listen();
  rig.host.say(initialize(protocolVersion));
  await rig.host.answerTo('hello');
  rig.host.say({ jsonrpc: '2.0', method: 'notifications/initialized' });
  rig.host.lines.length = 0;
  return rig;
}

export function initialize(protocolVersion: string): Message {
  const params = { ...HELLO, protocolVersion };
  return { jsonrpc: '2.0', id: 'hello', method: 'initialize', params };
}

export function callOf(id: unknown, name = 'balance', args: object = {}): Message {
  return { jsonrpc: '2.0', id, method: 'tools/call', params: { name, arguments: args } };
}

/** A server with tools `balance`, `slow` (which never answers) and `secret`. */
function answer(server: End): void {
  const tools = ['balance', 'slow', 'secret'].map((name) => plainTool(name));
  server.in.on('data', () => {
    for (const line of server.lines.splice(0)) {
      const { id, method, params } = line as { id: unknown; method: string; params: Message };
      const results: Record<string, () => unknown> = {
        initialize: () => ({
          protocolVersion: params['protocolVersion'],
          capabilities: { tools: {} },
          serverInfo: { name: 'test', version: '1' },
        }),
        'tools/list': () => ({ tools }),
        'tools/call': () => (params['name'] === 'slow' ? undefined : said(String(params['name']))),
        ping: () => ({}),
      };
      const result = results[method]?.();
      if (result !== undefined) server.say({ jsonrpc: '2.0', id, result });
    }
  });
}
