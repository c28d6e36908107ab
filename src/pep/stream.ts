/**
 * What a server may tell and ask a client beside its answers. A message that cannot be told apart
 * from one about a masked call is withheld as that one would be.
 */
import { servedCall } from './call_context.ts';
import type { Exchange } from './exchange.ts';
import type { Id } from './message.ts';
import type { Task, Tasks } from './tasks.ts';

/** A task of which a client hears under the token of its call. */
export interface Followed {
  task: Task;
  token: Id;
}

export class Stream {
  readonly #connection: object;
  /**
   * A masked call was made. What works on it may speak after its end, and a worker that another
   * call started may speak for it: from then on only messages that name their call pass.
   */
  #tainted = false;
  /** Calls that became tasks, whose progress goes on, by their ids towards the server. */
  readonly #followed = new Map<unknown, Followed>();

  constructor(connection: object) {
    this.#connection = connection;
  }

  taint(): void {
    this.#tainted = true;
  }

  /** Progress of a call passes where nothing of the call is masked. */
  progressPasses(exchange: Exchange): boolean {
    return !exchange.masked && !this.#inMasked();
  }

  /** The progress token of a call is that of its task (MCP 2025-11-25, tasks). */
  follow({ server_id, progress_token: token, masked }: Exchange, task: Task, tasks: Tasks): void {
    for (const [id, { task: other }] of this.#followed) {
      const gone = other.ended || tasks.find(other.id, other.principal) !== other;
      if (gone) this.#followed.delete(id);
    }
    if (token !== undefined && !masked) this.#followed.set(server_id, { task, token });
  }

  /** The task that a server tells progress of. */
  followed(token: unknown): Followed | undefined {
    return this.#inMasked() ? undefined : this.#followed.get(token);
  }

  /** A log line or a question passes if the call that it names is not masked, or if none was. */
  passes(named: Exchange | undefined): boolean {
    if (this.#inMasked()) return false;
    return !this.#tainted || (named !== undefined && !named.masked);
  }

  #inMasked(): boolean {
    return servedCall(this.#connection)?.masked === true;
  }
}
