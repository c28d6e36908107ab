/** A server of another make, which does what it understands, however it is said. */
import type { PassThrough } from 'node:stream';
import { createInterface } from 'node:readline';
import type { Transport } from '../../../src/pep/transport.ts';
import { Bank, CANARY } from './bank.ts';
import { overPipes } from './doors.ts';
import {
  guardBy,
  lookingThrough,
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

class Lenient {
  readonly #bank: Bank;
  readonly #transport: Transport;

  constructor(bank: Bank, transport: Transport) {
    this.#bank = bank;
    this.#transport = transport;
    transport.onmessage = (message) => {
      for (const one of [message].flat(9) as Said[]) this.#serve(one ?? {});
    };
  }

  #serve({ id, method, params }: Said): void {
    const result = this.#resultOf(String(method).trim().toLowerCase(), params ?? {});
    if (result) this.#transport.send({ jsonrpc: '2.0', id, result }).catch(() => undefined);
  }

  #resultOf(method: string, { name, arguments: args }: Said): object | undefined {
    if (method === 'initialize') {
      const serverInfo = { name: 'lenient', version: '1' };
      return { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo };
    }
    if (method === 'tools/list') {
      const tools = TOOLS.map((tool) => ({ name: tool, inputSchema: { type: 'object' } }));
      return { tools };
    }
    return method === 'tools/call' ? this.#call(String(name), args ?? {}) : undefined;
  }

  #call(called: string, args: { amount?: unknown }): object {
    const name = called.trim().toLowerCase();
    const small = name === 'transfer' && Number(args.amount) <= 100;
    this.#bank.did(name, name === 'balance' || small);
    const text = name === 'secret' ? CANARY : 'done';
    return { content: [{ type: 'text', text }] };
  }
}

function lenient(wrap: (transport: Transport) => Transport): Open {
  return async () => {
    const bank = new Bank();
    const wire = await overPipes(async (stdin, stdout) => {
      const transport = wrap(lineTransport(stdin, stdout));
      const server = new Lenient(bank, transport);
      await transport.start();
      return () => Promise.resolve(server).then(() => transport.close());
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
