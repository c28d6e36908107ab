/** A transport whose client side is the test: it sends raw messages and reads the bytes. */
import type { MessageExtra, SendOptions, Transport } from '../../../src/pep/transport.ts';

export class TestWire implements Transport {
  onclose?: (() => void) | undefined;
  onerror?: ((error: Error) => void) | undefined;
  onmessage?: ((message: unknown, extra?: MessageExtra) => void) | undefined;
  /** What the client was sent, as it stands on the wire. */
  readonly sent: string[] = [];
  readonly options: (SendOptions | undefined)[] = [];
  #waiting: (() => void)[] = [];

  async start(): Promise<void> {}

  async send(message: unknown, options?: SendOptions): Promise<void> {
    this.sent.push(JSON.stringify(message));
    this.options.push(options);
    for (const wake of this.#waiting.splice(0)) wake();
  }

  async close(): Promise<void> {
    this.onclose?.();
  }

  /** Gives a message of the client to the server side. */
  give(message: unknown, extra?: MessageExtra): void {
    this.onmessage?.(message, extra);
  }

  get messages(): Record<string, unknown>[] {
    return this.sent.map((text) => JSON.parse(text) as Record<string, unknown>);
  }

  /** Sends a request and waits for its answer, as text. */
  async ask(
    id: string | number,
    method: string,
    params?: object,
    extra?: MessageExtra,
  ): Promise<string> {
    const from = this.sent.length;
    this.give({ jsonrpc: '2.0', id, method, ...(params && { params }) }, extra);
    return this.answerTo(id, from);
  }

  async answerTo(id: string | number, from = 0): Promise<string> {
    for (;;) {
      const found = this.sent
        .slice(from)
        .find((text) => (JSON.parse(text) as { id?: unknown }).id === id);
      if (found !== undefined) return found;
      await new Promise<void>((resolve, reject) => {
        const late = setTimeout(() => reject(new Error('no answer on the wire')), 3000);
        this.#waiting.push(() => {
          clearTimeout(late);
          resolve();
        });
      });
    }
  }

  /** As `ask`, read. */
  async askFor(id: string | number, method: string, params?: object): Promise<Told> {
    return JSON.parse(await this.ask(id, method, params)) as Told;
  }

  call(id: string | number, name: string, args: object = {}): Promise<Told> {
    return this.askFor(id, 'tools/call', { name, arguments: args });
  }
}

/** An answer as a test looks into it. */
export interface Told {
  // oxlint-disable-next-line typescript/no-explicit-any -- a test indexes into what it pins
  result?: any;
  // oxlint-disable-next-line typescript/no-explicit-any -- a test indexes into what it pins
  error?: any;
}

/** Long enough for everything that is already under way. */
export function settle(ms = 20): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
