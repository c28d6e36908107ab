/**
 * The tools that a server lists, asked as any client would, and read as a guard reads them: the
 * digests are those that the guard will send. The SDK's transports carry the messages; its client
 * would give back what it understood of a definition, and not what stands in it.
 */
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { PortcullisError } from '../errors.ts';
import { Catalogue, type Snapshot } from '../pep/catalogue.ts';
import { isObject, type JsonObject } from '../pep/message.ts';

/** A command that speaks MCP on stdio, or the address of a server over Streamable HTTP. */
export type ListedServer =
  | { command: string; arguments: readonly string[]; env: Readonly<Record<string, string>> }
  | { url: string };

export interface ListLimits {
  catalogue_items_max: number;
  /** Longest wait for one answer of the server. */
  catalogue_timeout_ms: number;
}

const METHOD_NOT_FOUND = -32601;
const HELLO = {
  protocolVersion: '2025-11-25',
  capabilities: {},
  clientInfo: { name: 'portcullis', version: '1' },
};

/** Starts or reaches the server, asks it and lets it go. Rejects with `UPSTREAM_FAILED`. */
export async function listTools(server: ListedServer, limits: ListLimits): Promise<Snapshot> {
  const transport = await transportTo(server);
  const session = new Session(transport, limits.catalogue_timeout_ms);
  try {
    await transport.start();
    const { protocolVersion } = await session.ask('initialize', HELLO);
    if (typeof protocolVersion === 'string') transport.setProtocolVersion?.(protocolVersion);
    await transport.send({ jsonrpc: '2.0', method: 'notifications/initialized' });
    return await new Catalogue('tool', limits.catalogue_items_max).current((cursor) =>
      session.list(cursor),
    );
  } catch (cause) {
    if (cause instanceof PortcullisError) throw cause;
    throw failed('the server cannot be started or reached', cause);
  } finally {
    await transport.close().catch(() => undefined);
  }
}

async function transportTo(server: ListedServer): Promise<Transport> {
  try {
    if ('url' in server) {
      const { StreamableHTTPClientTransport } =
        await import('@modelcontextprotocol/sdk/client/streamableHttp.js');
      return new StreamableHTTPClientTransport(new URL(server.url));
    }
    const { StdioClientTransport } = await import('@modelcontextprotocol/sdk/client/stdio.js');
    const { command, arguments: args, env } = server;
    return new StdioClientTransport({ command, args: [...args], env, stderr: 'inherit' });
  } catch (cause) {
    const isAbsent = (cause as NodeJS.ErrnoException).code === 'ERR_MODULE_NOT_FOUND';
    if (!isAbsent) throw new PortcullisError('ARGUMENT_INVALID', 'the url is no URL', { cause });
    const message = 'asking a server needs `@modelcontextprotocol/sdk`: install it beside this';
    throw new PortcullisError('ARGUMENT_INVALID', message, { cause });
  }
}

type Answer = { result: JsonObject } | { code: unknown };

/** Requests with their answers, one after the other. */
class Session {
  readonly #transport: Transport;
  readonly #timeout_ms: number;
  readonly #ended = Promise.withResolvers<never>();
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  #last_id = 0;

  constructor(transport: Transport, timeout_ms: number) {
    this.#transport = transport;
    this.#timeout_ms = timeout_ms;
    this.#ended.promise.catch(() => undefined);
    transport.onmessage = (message: unknown) => this.#take(message);
    transport.onclose = () => this.#ended.reject(failed('the server ended'));
  }

  /** The result of a request. */
  async ask(method: string, params: JsonObject): Promise<JsonObject> {
    const answer = await this.#exchange(method, params);
    if ('result' in answer) return answer.result;
    throw failed(`the server refuses \`${method}\``);
  }

  /** One page; undefined where the server has no tools at all. */
  async list(cursor: string | undefined): Promise<unknown> {
    const params = cursor === undefined ? {} : { cursor };
    const answer = await this.#exchange('tools/list', params);
    if ('result' in answer) return answer.result;
    if (answer.code === METHOD_NOT_FOUND) return undefined;
    throw failed('the server refuses `tools/list`');
  }

  async #exchange(method: string, params: JsonObject): Promise<Answer> {
    const id = (this.#last_id += 1);
    const answered = new Promise<Answer>((resolve) => this.#waiting.set(id, resolve));
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      late.reject(failed(`the server did not answer \`${method}\` in ${this.#timeout_ms} ms`));
    }, this.#timeout_ms);
    try {
      const sent = this.#transport.send({ jsonrpc: '2.0', id, method, params });
      await Promise.race([sent, this.#ended.promise, late.promise]);
      return await Promise.race([answered, this.#ended.promise, late.promise]);
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(id);
    }
  }

  /** What the server asks is refused: it was told that its client can nothing. */
  #take(message: unknown): void {
    if (!isObject(message)) return;
    const { id, method, result, error } = message;
    if (typeof method === 'string') {
      if (typeof id !== 'number' && typeof id !== 'string') return;
      const refusal = { code: METHOD_NOT_FOUND, message: 'Method not found' };
      void this.#transport.send({ jsonrpc: '2.0', id, error: refusal }).catch(() => undefined);
      return;
    }
    const answer = isObject(result) ? { result } : { code: isObject(error) && error['code'] };
    this.#waiting.get(id as number)?.(answer);
  }
}

function failed(message: string, cause?: unknown): PortcullisError {
  return new PortcullisError('UPSTREAM_FAILED', message, { cause });
}
