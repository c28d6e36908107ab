/** A server of another make, which does what it understands, however it is said. */
import { PassThrough } from 'node:stream';
import { createInterface } from 'node:readline';
import { Relay } from '../../../src/gateway/stdio/relay.ts';
import type { Transport } from '../../../src/pep/transport.ts';
import { Bank, CANARY, LIMIT } from './bank.ts';
import { opening } from './wrapped.ts';
import { overHttp, overPipes, webHandle, type HttpWire } from './doors.ts';
import {
  guardBy,
  lookingThrough,
  type Check,
  type Looks,
  type Open,
  type Said,
  type Victim,
} from './targets.ts';

/** A line is a message, whatever it holds. */
function lineTransport(stdin: PassThrough, stdout: PassThrough): Transport {
  const transport: Transport = {
    async start() {
      createInterface({ input: stdin }).on('line', (line) => {
        try {
          transport.onmessage?.(JSON.parse(line));
        } catch {
          // What is no JSON is no message.
        }
      });
    },
    async send(message) {
      stdout.write(`${JSON.stringify(message)}\n`);
    },
    async close() {
      stdin.end();
    },
  };
  return transport;
}

const TOOLS = ['balance', 'transfer', 'customer', 'secret'];

/** What it answers to whatever a message may hold. */
export function answersOf(bank: Bank, message: unknown): object[] {
  return [message].flat(9).flatMap((one) => {
    const { id, method, params } = (one ?? {}) as Said;
    const result = resultOf(bank, String(method).trim().toLowerCase(), params ?? {});
    return result ? [{ jsonrpc: '2.0', id, result }] : [];
  });
}

function resultOf(
  bank: Bank,
  method: string,
  { name, arguments: args, protocolVersion }: Said,
): object | undefined {
  if (method === 'initialize') {
    const serverInfo = { name: 'lenient', version: '1' };
    return { protocolVersion, capabilities: { tools: {} }, serverInfo };
  }
  if (method === 'tools/list') {
    return { tools: TOOLS.map((tool) => ({ name: tool, inputSchema: { type: 'object' } })) };
  }
  return method === 'tools/call' ? call(bank, String(name), args ?? {}) : undefined;
}

function call(bank: Bank, called: string, args: { amount?: unknown }): object {
  const name = called.trim().toLowerCase();
  const small = name === 'transfer' && Number(args.amount) <= LIMIT;
  bank.did(name, name === 'balance' || name === 'customer' || small);
  if (name === 'customer') return { content: [], structuredContent: { id: 'c-1', ssn: CANARY } };
  return { content: [{ type: 'text', text: name === 'secret' ? CANARY : 'done' }] };
}

async function serveLenient(bank: Bank, transport: Transport): Promise<() => Promise<void>> {
  transport.onmessage = (message) => {
    for (const answer of answersOf(bank, message)) void transport.send(answer);
  };
  await transport.start();
  return () => transport.close();
}

function lenient(wrap: (transport: Transport) => Transport): Open {
  return async () => {
    const bank = new Bank();
    const wire = await overPipes((stdin, stdout) =>
      serveLenient(bank, wrap(lineTransport(stdin, stdout))),
    );
    return { ...wire, bank };
  };
}

function guardedLenient(victim: Victim): Open {
  return async () => lenient((await guardBy(victim)).wire)();
}

/** Behind a wrapper, as an unchanged server is. */
function wrappedLenient(victim: Victim, revision?: string): Open {
  return async () => {
    const bank = new Bank();
    const { open, parts } = await opening(victim);
    const wire = await overPipes(async (host_in, host_out) => {
      const [stdin, stdout] = [new PassThrough(), new PassThrough()];
      await serveLenient(bank, lineTransport(stdin, stdout));
      const host = { stdin: host_in, stdout: host_out };
      const settings = { message_bytes_max: 65_536 };
      const relay = new Relay(host, { stdin, stdout }, open, settings, parts.log);
      return () => relay.close('The connection ended');
    }, revision);
    return { ...wire, bank };
  };
}

/** Every way in which such a server is guarded. */
export function guardedLenients(victim: Victim = {}): Record<string, Open> {
  return {
    'a server that takes anything': guardedLenient(victim),
    'the same in a wrapper': wrappedLenient(victim),
    'the same in a wrapper, 2025-03-26': wrappedLenient(victim, '2025-03-26'),
  };
}

export function naiveLenient(looks: Looks = {}): Open {
  return lenient((transport) => lookingThrough(transport, looks));
}

/** The same behind a host, which asks nobody what a body is. */
export function lenientHttp(check: Check): Open<HttpWire> {
  return async () => {
    const bank = new Bank();
    const handle = webHandle(async ({ headers }, body) => {
      const text = body.toString();
      if (!check({ headers, text, body })) return new Response('refused', { status: 403 });
      return Response.json(answersOf(bank, JSON.parse(text.replace('\ufeff', ''))));
    });
    return { ...(await overHttp(handle)), bank };
  };
}
