/** A guard between a client over HTTP and a server over HTTP, and the answers it owes. */
import { failure, RPC } from '../../pep/answers.ts';
import type { Connection } from '../../pep/connection.ts';
import type { Wire } from '../../pep/ends.ts';
import type { Id, Message } from '../../pep/message.ts';
import type { MessageExtra } from '../../pep/transport.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { Reply } from './reply.ts';
import { Upstream, type UpstreamSettings } from './upstream.ts';

export interface ConnectedParts {
  open: (wire: Wire) => Connection;
  upstream: UpstreamSettings;
  log: Logger;
}

export class Connected {
  readonly #connection: Connection;
  readonly #upstream: Upstream;
  readonly #replies = new Map<unknown, Reply>();
  readonly #log: Logger;
  readonly #mirrored: Readonly<Record<string, string>>;
  #aside: Reply | undefined;
  #status: number | undefined;
  #closed = false;

  /** `mirrored`: headers of the one message that comes, which the server compares with its body. */
  constructor(
    { open, upstream, log }: ConnectedParts,
    lost: () => void,
    mirrored: Readonly<Record<string, string>> = {},
  ) {
    this.#log = log;
    this.#mirrored = mirrored;
    this.#upstream = new Upstream({
      settings: upstream,
      log,
      lost,
      deliver: (message, options, status) => {
        // The guard's own requests have texts for ids.
        const { id } = message as { id?: unknown };
        if (typeof id === 'number') this.#status = status;
        return this.#connection.deliver(message, options);
      },
    });
    this.#connection = open({
      toClient: (message, options) => this.#toClient(message, options?.relatedRequestId),
      toServer: (message) => this.#upstream.send(message, this.#mirrored),
    });
  }

  /** Whether a request of that id waits for its answer. */
  awaits(id: Id): boolean {
    return this.#replies.has(id);
  }

  /** Takes a message; the answer to a request goes into `reply`. */
  receive(raw: unknown, message: Message, extra: MessageExtra, reply?: Reply): void {
    if (message.kind === 'request' && reply) this.#replies.set(message.id, reply);
    this.#connection.receive(raw, extra);
    if (message.kind === 'notification' && message.method === 'notifications/cancelled') {
      this.#drop(message.params['requestId']);
    }
  }

  /** Sends what belongs to no request into `reply`; false where something else has that. */
  listen(reply: Reply): boolean {
    if (this.#aside && !this.#aside.ended) return false;
    this.#aside = reply;
    reply.open();
    return true;
  }

  /** Whoever still waits is told that nothing will come. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#connection.close();
    this.#upstream.close();
    this.#aside?.end();
    for (const [id, reply] of this.#replies) {
      reply.finish(failure(id as Id, RPC.INTERNAL_ERROR, 'The connection ended'));
    }
    this.#replies.clear();
  }

  async #toClient(message: object, related: Id | undefined): Promise<void> {
    const { id, method } = message as { id?: unknown; method?: unknown };
    const reply = this.#replies.get(method === undefined ? id : related);
    if (method === undefined) {
      this.#replies.delete(id);
      reply?.finish(message, 'error' in message ? this.#status : undefined);
      return;
    }
    const stream = reply ?? this.#aside;
    if (stream && !stream.ended) return stream.send(message);
    this.#log.debug('a message has no stream to the client');
  }

  /** A client that cancelled its request does not wait for its answer. */
  #drop(id: unknown): void {
    const reply = this.#replies.get(id);
    this.#replies.delete(id);
    reply?.end();
  }
}
