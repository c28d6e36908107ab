/** A server of another make, which does what it understands, however it is said. */
import type { PassThrough } from 'node:stream';
import { createInterface } from 'node:readline';
import type { Transport } from '../../../src/pep/transport.ts';
import { Bank, CANARY, LIMIT } from './bank.ts';
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

const TOOLS = ['balance', 'transfer', 'secret'];

/** What it answers to whatever a message may hold. */
function answersOf(bank: Bank, message: unknown): object[] {
  return [message].flat(9).flatMap((one) => {
    const { id, method, params } = (one ?? {}) as Said;
    const result = resultOf(bank, String(method).trim().toLowerCase(), params ?? {});
    return result ? [{ jsonrpc: '2.0', id, result }] : [];
  });
}

function resultOf(bank: Bank, method: string, { name, arguments: args }: Said): object | undefined {
  if (method === 'initialize') {
    const serverInfo = { name: 'lenient', version: '1' };
    return { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo };
  }
  if (method === 'tools/list') {
    return { tools: TOOLS.map((tool) => ({ name: tool, inputSchema: { type: 'object' } })) };
  }
  return method === 'tools/call' ? call(bank, String(name), args ?? {}) : undefined;
}

function call(bank: Bank, called: string, args: { amount?: unknown }): object {
  const name = called.trim().toLowerCase();
  const small = name === 'transfer' && Number(args.amount) <= LIMIT;
  bank.did(name, name === 'balance' || small);
  return { content: [{ type: 'text', text: name === 'secret' ? CANARY : 'done' }] };
}

function lenient(wrap: (transport: Transport) => Transport): Open {
  return async () => {
    const bank = new Bank();
    const wire = await overPipes(async (stdin, stdout) => {
      const transport = wrap(lineTransport(stdin, stdout));
      transport.onmessage = (message) => {
        for (const answer of answersOf(bank, message)) void transport.send(answer);
      };
      await transport.start();
      return () => transport.close();
    });
    return { ...wire, bank };
  };
}

export function guardedLenient(victim: Victim = {}): Open {
  return async () => lenient((await guardBy(victim)).wire)();
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
