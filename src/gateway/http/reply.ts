/** An answer to one HTTP request: JSON where one message is all, else a stream of events. */

const encoder = new TextEncoder();
const STREAM = { 'content-type': 'text/event-stream', 'cache-control': 'no-cache, no-transform' };

export interface ReplyOptions {
  /** Of every answer but an error. */
  headers?: Record<string, string>;
  /** Called where the client goes away before the end. */
  left?: () => void;
  /** Called after the answer. */
  finished?: (message: object) => void;
}

export class Reply {
  /** Settles with the first message. */
  readonly response: Promise<Response>;
  readonly #options: ReplyOptions;
  readonly #resolve: (response: Response) => void;
  #stream: ReadableStreamDefaultController<Uint8Array> | undefined;
  #room: (() => void) | undefined;
  #ended = false;

  constructor(options: ReplyOptions = {}) {
    const { promise, resolve } = Promise.withResolvers<Response>();
    this.response = promise;
    this.#options = options;
    this.#resolve = resolve;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Sends a message beside the answer; settles when there is room for another. */
  async send(message: object): Promise<void> {
    if (this.#ended) return;
    this.open();
    this.#write(message);
    if ((this.#stream?.desiredSize ?? 1) > 0) return;
    await new Promise<void>((resolve) => {
      this.#room = resolve;
    });
  }

  /** Sends the answer. A stream that has begun has its status. */
  finish(message: object, status = 200): void {
    if (this.#ended) return;
    const headers = 'error' in message ? {} : { ...this.#options.headers };
    if (this.#stream) this.#write(message);
    else this.#resolve(Response.json(message, { status, headers }));
    this.#close();
    this.#options.finished?.(message);
  }

  /** Begins the stream before there is anything to send. */
  open(): void {
    if (this.#stream || this.#ended) return;
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.#stream = controller;
      },
      pull: () => this.#room?.(),
      cancel: () => {
        this.#ended = true;
        this.#room?.();
        this.#options.left?.();
      },
    });
    const headers = { ...STREAM, ...this.#options.headers };
    this.#resolve(new Response(body, { headers }));
  }

  /** No more will come. */
  end(): void {
    this.open();
    if (!this.#ended) this.#close();
  }

  #write(message: object): void {
    this.#stream?.enqueue(encoder.encode(`event: message\ndata: ${JSON.stringify(message)}\n\n`));
  }

  #close(): void {
    this.#ended = true;
    this.#room?.();
    this.#stream?.close();
  }
}
