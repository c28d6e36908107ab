/**
 * Which answer is the last one of its connection. Requests may follow one another before the first
 * is answered (RFC 9112, section 9.3.2). When the service closes, those that it took are answered,
 * the last of them says so (section 9.6), and what comes behind it is not decided.
 */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';

export class Drain {
  #isClosing = false;
  /** The last request that was taken from a connection, until it is answered. */
  readonly #newest = new WeakMap<Socket, IncomingMessage>();

  close(): void {
    this.#isClosing = true;
  }

  /** Whether the request is to be answered. */
  take(request: IncomingMessage): boolean {
    if (this.#isClosing && this.#newest.has(request.socket)) return false;
    this.#newest.set(request.socket, request);
    return true;
  }

  /** Whether the connection ends with the answer to this request, which is given now. */
  endsWith(request: IncomingMessage): boolean {
    if (this.#newest.get(request.socket) !== request) return false;
    if (!this.#isClosing) this.#newest.delete(request.socket);
    return this.#isClosing;
  }
}
