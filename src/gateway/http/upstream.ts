/**
 * The way to a server over Streamable HTTP. Each message of the guard is a request of its own; what
 * comes back, as JSON or as events, is read and handed to the guard message by message. Nothing of
 * the client's own request goes with it but the message.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { JsonFault } from '../../contract/json.ts';
import { failure, RPC } from '../../pep/answers.ts';
import { isObject, readMessage, type Id, type Message } from '../../pep/message.ts';
import type { SendOptions } from '../../pep/transport.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { refuseText, takeText, type Intake } from '../intake.ts';
import { readEvents, type Resumption } from './events.ts';
import { headersFor } from './head.ts';

export interface UpstreamSettings {
  url: string;
  /** What the wrapper proves itself with, and nothing of a client. */
  headers: Readonly<Record<string, string>>;
  /** Largest message of the server. */
  message_bytes_max: number;
}

export interface UpstreamParts {
  settings: UpstreamSettings;
  log: Logger;
  /**
   * Takes a message of the server; settles when there is room for another. `status` is that of an
   * answer where it is not 200.
   */
  deliver: (message: object, options?: SendOptions, status?: number) => Promise<void>;
  /** The server has forgotten the session. */
  lost: () => void;
}

/** How often a stream that ended early is asked for again without anything new on it. */
const ATTEMPTS = 3;
const RETRY_MS = 1000;
const RETRY_MS_MAX = 30_000;

const BOTH = 'application/json, text/event-stream';
const EVENTS = 'text/event-stream';

export class Upstream {
  readonly #parts: UpstreamParts;
  readonly #ended = new AbortController();
  #session_id: string | null = null;
  #revision: string | undefined;
  /** Notifications arrive before what is said after them. */
  #told: Promise<void> = Promise.resolve();

  constructor(parts: UpstreamParts) {
    this.#parts = parts;
  }

  /** Sends a message; what goes wrong is answered in the place of the server. */
  send(message: object, mirrored: Readonly<Record<string, string>> = {}): void {
    const read = readMessage(message);
    const sent = this.#told.then(() => this.#exchange(read, message, mirrored));
    if (read.kind !== 'request') this.#told = sent;
  }

  /** Ends what is under way, and the session. */
  close(): void {
    const ending = this.#session_id;
    this.#ended.abort();
    if (ending === null) return;
    const signal = AbortSignal.timeout(RETRY_MS);
    fetch(this.#parts.settings.url, { ...this.#request('DELETE'), signal }).then(
      (response) => response.body?.cancel(),
      () => undefined,
    );
  }

  /** Never rejects. */
  async #exchange(
    read: Message,
    message: object,
    mirrored: Readonly<Record<string, string>>,
  ): Promise<void> {
    const id = read.kind === 'request' ? read.id : undefined;
    try {
      const headers = { ...mirrored, ...headersFor(message), 'content-type': 'application/json' };
      const request = this.#request('POST', BOTH, headers);
      const response = await this.#fetch({ ...request, body: JSON.stringify(message) });
      if (id === undefined) await this.#taken(read, response);
      else await this.#answer(id, read, response);
    } catch (error) {
      if (this.#ended.signal.aborted) return;
      this.#parts.log.error('the server cannot be asked', { error });
      if (id !== undefined) await this.#fail(id, 'The server cannot be reached');
    }
  }

  async #taken(read: Message, response: Response): Promise<void> {
    await response.body?.cancel();
    if (response.status !== 202 && response.status !== 200) this.#refused(response);
    const begun = read.kind === 'notification' && read.method === 'notifications/initialized';
    if (begun) void this.#listen();
  }

  async #answer(id: Id, read: Message, response: Response): Promise<void> {
    const isBeginning = read.kind === 'request' && read.method === 'initialize';
    if (isBeginning) this.#session_id = response.headers.get('mcp-session-id');
    const type = mediaType(response);
    if (response.status === 200 && type === EVENTS) return this.#events(id, response, isBeginning);
    if (type === 'application/json' && STATUSES.has(response.status)) {
      const bytes = await wholeOf(response, this.#parts.settings.message_bytes_max);
      const taken = this.#take(bytes);
      const [answer] = taken.kind === 'messages' ? taken.messages : [];
      // Beside an answer of 200, only an error about this very request is one of MCP.
      const isIt = answer !== undefined && isAnswerTo(id, answer, response.status);
      if (isIt) return this.#pass(answer, id, isBeginning, response.status);
      if (response.status === 200) return this.#fail(id, 'The answer cannot be read');
    } else {
      await response.body?.cancel();
    }
    this.#refused(response);
    await this.#fail(id, 'The server did not answer as MCP does');
    if (response.status === 404 && this.#session_id !== null) this.#parts.lost();
  }

  /** The events that belong to a request, up to its answer. */
  async #events(id: Id, first: Response, isBeginning: boolean): Promise<void> {
    const resumption: Resumption = { last_event_id: undefined, retry_ms: undefined };
    let response: Response | undefined = first;
    for (let attempt = 0; response && attempt < ATTEMPTS;) {
      const before = resumption.last_event_id;
      if (await this.#readEvents(response, resumption, id, isBeginning)) return;
      if (resumption.last_event_id === undefined) break;
      attempt = resumption.last_event_id === before ? attempt + 1 : 0;
      response = await this.#resume(resumption);
    }
    await this.#fail(id, 'The server ended its answer');
  }

  /** What a server says outside its answers; not every server does. */
  async #listen(): Promise<void> {
    const resumption: Resumption = { last_event_id: undefined, retry_ms: undefined };
    try {
      let response = await this.#get(resumption);
      for (let attempt = 0; response && attempt < ATTEMPTS;) {
        const before = resumption.last_event_id;
        await this.#readEvents(response, resumption, undefined, false);
        attempt = resumption.last_event_id === before ? attempt + 1 : 0;
        response = await this.#resume(resumption);
      }
    } catch (error) {
      if (!this.#ended.signal.aborted) this.#parts.log.warn('a stream broke', { error });
    }
  }

  /** Whether the answer to the request was among them. */
  async #readEvents(
    response: Response,
    resumption: Resumption,
    id: Id | undefined,
    isBeginning: boolean,
  ): Promise<boolean> {
    const { message_bytes_max } = this.#parts.settings;
    for await (const { data } of readEvents(bodyOf(response), message_bytes_max, resumption)) {
      const taken = data === undefined ? refuseText(TOO_LARGE, undefined) : this.#take(data);
      for (const message of taken.kind === 'messages' ? taken.messages : []) {
        await this.#pass(message, id, isBeginning);
        if (id !== undefined && isAnswerTo(id, message, 200)) return true;
      }
      for (const { frame } of taken.kind === 'refused' ? taken.refused : []) {
        if (!frame.asks && frame.id === id) {
          await this.#fail(id, 'The answer cannot be read');
          return true;
        }
      }
      if (taken.kind === 'refused') this.#dropped(taken.code);
    }
    return false;
  }

  async #resume(resumption: Resumption): Promise<Response | undefined> {
    const wait_ms = Math.min(resumption.retry_ms ?? RETRY_MS, RETRY_MS_MAX);
    await pause(wait_ms, undefined, { signal: this.#ended.signal, ref: false });
    return this.#get(resumption);
  }

  async #get({ last_event_id }: Resumption): Promise<Response | undefined> {
    const headers = last_event_id === undefined ? {} : { 'last-event-id': last_event_id };
    const response = await this.#fetch(this.#request('GET', EVENTS, headers));
    if (response.status === 200 && mediaType(response) === EVENTS) return response;
    await response.body?.cancel();
    if (response.status !== 405) this.#refused(response);
    return undefined;
  }

  async #pass(
    message: object,
    id: Id | undefined,
    isBeginning: boolean,
    status = 200,
  ): Promise<void> {
    const { result } = message as { result?: unknown };
    if (isBeginning && isObject(result)) this.#revision = String(result['protocolVersion']);
    const other = status === 200 ? undefined : status;
    await this.#parts.deliver(message, { relatedRequestId: id }, other);
  }

  #fail(id: Id, reason: string): Promise<void> {
    return this.#parts.deliver(failure(id, RPC.INTERNAL_ERROR, reason));
  }

  #take(bytes: Uint8Array | undefined): Intake {
    if (bytes === undefined) return refuseText(TOO_LARGE, undefined);
    return takeText(bytes, this.#parts.settings.message_bytes_max, false);
  }

  #dropped(code: string): void {
    this.#parts.log.warn('dropped what the server sent, which is no message', { code });
  }

  #refused(response: Response): void {
    const fields = { status: response.status, type: mediaType(response) };
    this.#parts.log.error('the server did not answer as MCP does', fields);
  }

  /** A redirection would carry the credential of the wrapper to whom the server names. */
  #fetch(request: RequestInit): Promise<Response> {
    const { signal } = this.#ended;
    return fetch(this.#parts.settings.url, { ...request, redirect: 'manual', signal });
  }

  #request(
    method: string,
    accept: string = BOTH,
    headers: Readonly<Record<string, string>> = {},
  ): RequestInit {
    const session = {
      ...(this.#session_id !== null && { 'mcp-session-id': this.#session_id }),
      ...(this.#revision !== undefined && { 'mcp-protocol-version': this.#revision }),
    };
    return { method, headers: { ...headers, accept, ...session, ...this.#parts.settings.headers } };
  }
}

const TOO_LARGE: JsonFault = { code: 'too_large', pointer: '' };

/** A request that cannot be served as it is has one of these (MCP 2026-07-28, transports). */
const STATUSES: ReadonlySet<number> = new Set([200, 400, 404]);

function isAnswerTo(id: Id, message: object, status: number): boolean {
  const read = readMessage(message);
  return read.kind === 'answer' && read.id === id && (status === 200 || 'error' in read.body);
}

/** The media type alone counts (RFC 9110, section 8.3.1). */
function mediaType(response: Response): string {
  return response.headers.get('content-type')?.split(';', 1)[0]?.trim().toLowerCase() ?? '';
}

async function* bodyOf({ body }: Response): AsyncGenerator<Uint8Array> {
  if (body) yield* body as unknown as AsyncIterable<Uint8Array>;
}

/** Undefined where it is larger. */
async function wholeOf(
  response: Response,
  size_bytes_max: number,
): Promise<Uint8Array | undefined> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of bodyOf(response)) {
    size += part.length;
    if (size > size_bytes_max) return undefined;
    parts.push(part);
  }
  return Buffer.concat(parts);
}
