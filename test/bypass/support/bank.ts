/**
 * What is attacked: a server with a tool that may be called, one that may be called with small
 * sums, and one that the caller may not know of. It counts what it should never have done.
 */
import { z } from 'zod';
import { newServer, said, type HighServer, type Line } from '../../pep/support/servers.ts';

/** Stands in all that the hidden tool is, says and does. */
export const CANARY = 'canary-of-the-vault';

export const LIMIT = 100;

export class Bank {
  /** What was done, in order. */
  readonly done: string[] = [];
  /** What was done that the policy forbids to a teller. */
  readonly forbidden: string[] = [];
  /** The server has turned: what was reviewed of it holds no more. */
  turned = false;
  readonly #turns: (() => void)[] = [];

  /** A server on these books; `more` adds to it. */
  build(
    line: Line,
    more: (server: HighServer) => void = () => undefined,
    options?: object,
  ): HighServer {
    const server = newServer(line, options);
    server.registerTool('balance', { inputSchema: z.object({}) }, () => {
      this.done.push('balance');
      return said('12');
    });
    // It takes what it is given, as many servers do: what is too much is for the policy to say.
    const loose = { inputSchema: z.object({}).loose() };
    server.registerTool('transfer', loose, (args) => {
      const { amount } = args as { amount?: unknown };
      this.did('transfer', typeof amount === 'number' && amount >= 0 && amount <= LIMIT);
      return said('transferred');
    });
    server.registerTool('secret', { description: CANARY, ...loose }, () => {
      this.did('secret', false);
      return said(CANARY);
    });
    more(server);
    return server;
  }

  /** Does something when the server turns, or at once where it has. */
  onTurn(turn: () => void): void {
    if (this.turned) turn();
    this.#turns.push(turn);
  }

  turn(): void {
    this.turned = true;
    for (const turn of this.#turns) turn();
  }

  did(what: string, allowed: boolean): void {
    this.done.push(what);
    if (!allowed) this.forbidden.push(what);
  }
}

/** A `tools/call` as it goes over the wire. */
export function callOf(name: string, args: object = {}, id: unknown = 'attack'): object {
  return { jsonrpc: '2.0', id, method: 'tools/call', params: { name, arguments: args } };
}

export function requestOf(method: string, params: object = {}, id: unknown = 'attack'): object {
  return { jsonrpc: '2.0', id, method, params };
}
