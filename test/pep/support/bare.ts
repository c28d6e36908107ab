/** A guard between two tests: one speaks as the client, the other as the server, past any SDK. */
import { createGuard, type Guard } from '../../../src/pep/mcp/guard.ts';
import type { GuardSettings } from '../../../src/pep/settings.ts';
import type { Transport } from '../../../src/pep/transport.ts';
import { testParts, type TestParts } from './parts.ts';
import type { Script } from './scripted.ts';
import { plainTool } from './servers.ts';
import { TestWire } from './wire.ts';

export interface Heard {
  id?: unknown;
  method?: string;
  params?: Record<string, unknown>;
}

export interface Bare {
  parts: TestParts;
  guard: Guard;
  wire: TestWire;
  transport: Transport;
  /** What the server was given, but for what the guard asked itself. */
  heard: Heard[];
  /** What the guard asked the server itself. */
  own: Heard[];
  /** Speaks as the server. */
  say(message: object, relatedRequestId?: number): Promise<void>;
}

interface BareOptions {
  settings?: Partial<GuardSettings>;
  identity?: TestParts['identity'];
  /** Answers a question for a page of tools: with a result, an error, or never. */
  list?: (cursor: unknown) => object | undefined;
  /** Answers a request of the client in the same way; if not given, lists and does. */
  answer?: (message: Heard) => object | undefined;
}

const oneTool = () => ({ result: { tools: [plainTool('balance')] } });

export async function bare(script: Script = {}, options: BareOptions = {}): Promise<Bare> {
  const { settings, identity, list = oneTool } = options;
  const done = ({ method, params }: Heard) =>
    method === 'tools/list' ? list(params?.['cursor']) : { result: { content: [] } };
  const { answer = done } = options;
  const parts = testParts(script, settings, identity && { identity });
  const guard = createGuard(parts);
  const wire = new TestWire();
  const transport: Transport = guard.wire(wire);
  const heard: Heard[] = [];
  const own: Heard[] = [];
  const say: Bare['say'] = (message, relatedRequestId) =>
    transport.send(
      { jsonrpc: '2.0', ...message },
      relatedRequestId === undefined ? undefined : { relatedRequestId },
    );
  transport.onmessage = (raw: unknown) => {
    const message = raw as Heard;
    const isOwn = String(message.id).startsWith('portcullis:');
    (isOwn ? own : heard).push(message);
    if (message.id === undefined || message.method === undefined) return;
    const said = isOwn ? list(message.params?.['cursor']) : answer(message);
    if (said) void say({ id: message.id, ...said });
  };
  await transport.start();
  return { parts, guard, wire, transport, heard, own, say };
}

/** Why a request was not decided, as operators read it. */
export function reasonsOf({ log }: TestParts): unknown[] {
  return log.lines
    .filter(({ message }) => message === 'a request cannot be decided')
    .map(({ fields }) => {
      const error = fields?.['error'] as { code?: string; message: string } | undefined;
      return [error?.code, error?.message];
    });
}
