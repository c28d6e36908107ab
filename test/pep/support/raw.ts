/** A guarded wire whose server side is the test: it answers with what it is told to. */
import { createGuard } from '../../../src/pep/mcp/guard.ts';
import type { GuardSettings } from '../../../src/pep/settings.ts';
import type { Transport } from '../../../src/pep/transport.ts';
import { testParts } from './parts.ts';
import type { Script } from './scripted.ts';
import { TestWire } from './wire.ts';

export interface Asked {
  id: string | number;
  method: string;
  params: Record<string, unknown>;
}

/** The result of a request, or `{ error }`; undefined = no answer. */
export type Answerer = (request: Asked) => object | undefined;

export interface RawRig {
  parts: ReturnType<typeof testParts>;
  wire: TestWire;
  /** What reached the server, without the lists that the guard asks for. */
  received: Asked[];
  /** Sends a message of the server. */
  say(message: object): Promise<void>;
}

/** `tools` are what it lists; everything else is answered by `answer`. */
export async function rawRig(
  tools: readonly object[],
  answer: Answerer,
  script: Script = {},
  settings: Partial<GuardSettings> = {},
): Promise<RawRig> {
  const parts = testParts(script, settings);
  const wire = new TestWire();
  const server = createGuard(parts).wire(wire) as Transport;
  const received: Asked[] = [];
  server.onmessage = (message) => {
    const request = message as Asked;
    const listed = request.method === 'tools/list';
    if (!listed) received.push(request);
    const said = listed ? { tools } : answer(request);
    if (said === undefined || request.id === undefined) return;
    const body = 'error' in said ? said : { result: said };
    void server.send({ jsonrpc: '2.0', id: request.id, ...body });
  };
  await server.start();
  return { parts, wire, received, say: (message) => server.send({ jsonrpc: '2.0', ...message }) };
}
