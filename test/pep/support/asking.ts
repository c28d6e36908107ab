/** A server that asks its client, past its SDK, while it serves calls that wait. */
import type { SendOptions } from '../../../src/pep/transport.ts';
import { connected, HELLO, type Rig, type RigOptions } from './rig.ts';
import type { Script } from './scripted.ts';
import { buildServer, requestIdOf, said } from './servers.ts';
import { settle } from './wire.ts';

/** Everything that a client can offer to be asked for. */
export const OFFERS = {
  sampling: { tools: {}, context: {} },
  roots: { listChanged: true },
  elicitation: { form: {}, url: {} },
};

type Message = Record<string, unknown>;

export interface Asking extends Rig {
  /** Answers to the server's own requests, and notifications, as the server is given them. */
  heard: Message[];
  /** Begins a call of a tool that waits; yields the id by which the server knows it. */
  hold(id: number, name?: string): Promise<number>;
  /** Lets the calls end. */
  finish(): void;
  /** Sends a message as the server. */
  say(message: object, options?: SendOptions): Promise<void>;
  /** Asks as the server, and waits until it is refused or the client was told. */
  ask(id: string, method: string, params?: object, options?: SendOptions): Promise<void>;
}

export interface AskingOptions extends RigOptions {
  /** What the client declares. */
  offers?: object;
  /** Answers in the place of the server's own handler; undefined: as the handler does. */
  serve?: (params: Record<string, unknown>, method: string) => object | undefined;
}

/** Tools `hold` and `masked` wait; past the handshake. */
export async function asking(
  script: Script = {},
  { offers = OFFERS, serve, ...options }: AskingOptions = {},
): Promise<Asking> {
  const gate = Promise.withResolvers<void>();
  let held = Promise.withResolvers<number>();
  const wait = async (_args: unknown, extra: unknown) => {
    held.resolve(requestIdOf(extra) as number);
    await gate.promise;
    return said('{"amount":1}');
  };
  const { line = 1 } = options;
  const server = () => buildServer(line, { calls: [] }, { hold: wait, masked: wait });
  const rig = await connected(script, { server, ...options });
  await rig.wire.ask('hello', 'initialize', { ...HELLO, capabilities: offers });
  rig.wire.give({ jsonrpc: '2.0', method: 'notifications/initialized' });
  const { transport } = rig.server.server as { transport: Low };
  const heard: Message[] = [];
  const { onmessage } = transport;
  transport.onmessage = (message, extra) => {
    const { id, method, params } = message;
    const own = method === undefined && String(id).startsWith('q');
    if (own || String(method).startsWith('notifications/')) heard.push(message);
    const served = serve?.(params as Record<string, unknown>, String(method));
    if (served) void say({ id, ...served });
    else if (!own) onmessage(message, extra);
  };
  const say = (message: object, place?: SendOptions) =>
    transport.send({ jsonrpc: '2.0', ...message }, place);
  return {
    ...rig,
    heard,
    async hold(id, name = 'hold') {
      held = Promise.withResolvers<number>();
      const params = { name, arguments: {} };
      rig.wire.give({ jsonrpc: '2.0', id, method: 'tools/call', params });
      return held.promise;
    },
    finish: () => gate.resolve(),
    say,
    async ask(id, method, params, place) {
      await say({ id, method, ...(params && { params }) }, place);
      await settle(0);
    },
  };
}

interface Low {
  onmessage(message: Message, extra?: unknown): void;
  send(message: object, options?: SendOptions): Promise<void>;
}

export const FORM = {
  message: 'Which account?',
  requestedSchema: { type: 'object', properties: { account: { type: 'string' } } },
};
export const PAGE = {
  mode: 'url',
  message: 'Sign in',
  elicitationId: 'e-7',
  url: 'https://pay.example/sign-in',
};
export const SAMPLE = {
  messages: [{ role: 'user', content: { type: 'text', text: 'Hello' } }],
  maxTokens: 10,
};

/** One of each kind that may be asked. */
export const ASKS: readonly [method: string, params: object | undefined][] = [
  ['elicitation/create', FORM],
  ['elicitation/create', PAGE],
  ['sampling/createMessage', SAMPLE],
  ['roots/list', undefined],
];
