/**
 * Stands between a host and the server that it meant to start, with a guard in the middle. Whatever
 * is no message is refused here: who waits for it is told, and the rest is dropped.
 */
import type { Readable, Writable } from 'node:stream';
import { failure, RPC } from '../../pep/answers.ts';
import type { Connection } from '../../pep/connection.ts';
import type { Wire } from '../../pep/ends.ts';
import { isObject, readMessage } from '../../pep/message.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { Batches } from '../batches.ts';
import { refuseText, takeText, type Intake, type Refused } from '../intake.ts';
import { OpenRequests } from '../open_requests.ts';
import type { Child } from './child.ts';

import { readLines, type Line } from './lines.ts';
import { room, writeLine } from './room.ts';

export interface Host {
  stdin: Readable;
  stdout: Writable;
}

export interface RelaySettings {
  /** Largest message, either way. */
  message_bytes_max: number;
}

/** The one revision that has batches. */
const REVISION_WITH_BATCHES = '2025-03-26';

export class Relay {
  /** Settles when the host sends no more. */
  readonly fromHost: Promise<void>;
  /** Settles when the server sends no more. */
  readonly fromServer: Promise<void>;
  readonly #host: Host;
  readonly #child: Pick<Child, 'stdin' | 'stdout'>;
  readonly #settings: RelaySettings;
  readonly #log: Logger;
  readonly #connection: Connection;
  readonly #open = new OpenRequests();
  readonly #batches = new Batches();
  #revision: unknown;
  #dropped = 0;

  constructor(
    host: Host,
    child: Pick<Child, 'stdin' | 'stdout'>,
    open: (wire: Wire) => Connection,
    settings: RelaySettings,
    log: Logger,
  ) {
    this.#host = host;
    this.#child = child;
    this.#settings = settings;
    this.#log = log;
    this.#connection = open({
      toClient: (message) => this.#toHost(message),
      toServer: (message) => writeLine(child.stdin, message),
    });
    this.fromHost = this.#readHost();
    this.fromServer = this.#readServer();
  }

  /** Resolves when the host waits for nothing. */
  idle(): Promise<void> {
    return this.#open.idle();
  }

  /** Ends the guard; who still waits is told that nothing will come. */
  async close(reason: string): Promise<void> {
    const open = this.#open.ids;
    this.#connection.close();
    for (const id of open) await this.#toHost(failure(id, RPC.INTERNAL_ERROR, reason));
    await room(this.#host.stdout);
  }

  async #readHost(): Promise<void> {
    const { stdin, stdout } = this.#host;
    for await (const line of readLines(stdin, this.#settings.message_bytes_max)) {
      this.#takeFromHost(line);
      // Its own refusals wait here too where a host asks and does not read.
      await room(stdout, this.#settings.message_bytes_max);
      await room(this.#child.stdin);
    }
  }

  async #readServer(): Promise<void> {
    for await (const line of readLines(this.#child.stdout, this.#settings.message_bytes_max)) {
      this.#takeFromServer(line);
      await room(this.#host.stdout);
    }
  }

  #takeFromHost(line: Line): void {
    const taken = this.#take(line);
    if (!taken) return;
    if (taken.kind === 'refused') {
      this.#drop('the host', taken.code);
      const { asking, answering } = sides(taken.refused);
      const answers = asking.map(({ answer }) => answer);
      if (taken.batch && answers.length > 0) writeLine(this.#host.stdout, answers);
      else for (const answer of answers) writeLine(this.#host.stdout, answer);
      for (const { frame } of answering) this.#connection.receive(unreadable(frame.id));
      return;
    }
    const messages = taken.messages.map((raw) => ({ raw, message: readMessage(raw) }));
    if (taken.batch) {
      const ids = messages.flatMap(({ message }) => (message.kind === 'request' ? message.id : []));
      this.#batches.open(ids, (answers) => writeLine(this.#host.stdout, answers));
    }
    for (const { raw, message } of messages) {
      this.#open.receive(message);
      this.#connection.receive(raw);
      if (message.kind === 'notification' && message.method === 'notifications/cancelled') {
        this.#batches.drop(message.params['requestId']);
      }
    }
  }

  #takeFromServer(line: Line): void {
    const taken = this.#take(line);
    if (!taken) return;
    if (taken.kind === 'refused') {
      this.#drop('the server', taken.code);
      const { asking, answering } = sides(taken.refused);
      for (const { answer } of asking) writeLine(this.#child.stdin, answer);
      for (const { frame } of answering) this.#deliver(unreadable(frame.id));
      return;
    }
    for (const message of taken.messages) this.#deliver(message);
  }

  /** Not awaited: what it led to may need what the server says next. */
  #deliver(message: object): void {
    this.#connection.deliver(message).catch((error: unknown) => {
      this.#log.error('a message of the server cannot be handled', { error });
    });
  }

  async #toHost(message: object): Promise<void> {
    const { id, method, result } = message as Record<string, unknown>;
    if (method === undefined) {
      const asked = this.#open.settle(id);
      if (asked === 'initialize' && isObject(result)) this.#revision = result['protocolVersion'];
    }
    if (method !== undefined || !this.#batches.take(id, message)) {
      writeLine(this.#host.stdout, message);
    }
    await room(this.#host.stdout);
  }

  #take(line: Line): Intake | undefined {
    if (line.kind === 'too_large') {
      return refuseText({ code: 'too_large', pointer: '' }, line.frame);
    }
    if (line.kind === 'whole') {
      const batches = this.#revision === REVISION_WITH_BATCHES;
      return takeText(line.bytes, this.#settings.message_bytes_max, batches);
    }
    this.#log.warn('dropped half a line at the end of a stream');
    return undefined;
  }

  /** A server that prints to its output does so often: each doubling of their number is told. */
  #drop(sender: string, code: string): void {
    this.#dropped += 1;
    if ((this.#dropped & (this.#dropped - 1)) !== 0) return;
    this.#log.warn(`dropped what ${sender} sent, which is no message`, {
      code,
      dropped: this.#dropped,
    });
  }
}

/** Who waits for what was refused: its sender for an answer, or its receiver for it. */
function sides(refused: readonly Refused[]): { asking: Refused[]; answering: Refused[] } {
  return {
    asking: refused.filter(({ frame }) => frame.asks),
    answering: refused.filter(({ frame }) => !frame.asks),
  };
}

/** Takes the place of an answer that cannot be read. */
function unreadable(id: string | number): object {
  return failure(id, RPC.INTERNAL_ERROR, 'The answer cannot be read');
}
