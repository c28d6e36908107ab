/** Stands between a server and its transport, and looks to the server like the transport itself. */
import type { Connection } from './connection.ts';
import type { Wire } from './ends.ts';
import type { MessageExtra, ScopeResolver, SendOptions, Transport } from './transport.ts';

export class GuardedTransport implements Transport {
  onclose?: (() => void) | undefined;
  onerror?: ((error: Error) => void) | undefined;
  onmessage?: ((message: unknown, extra?: MessageExtra) => void) | undefined;
  setProtocolVersion?: (version: string) => void;
  setSupportedProtocolVersions?: (versions: string[]) => void;
  setScopeChallengeResolver?: (resolver: ScopeResolver) => void;
  readonly #inner: Transport;
  readonly #connection: Connection;

  constructor(inner: Transport, open: (wire: Wire) => Connection) {
    this.#inner = inner;
    this.#connection = open({
      toClient: (message, options) => inner.send(message, options),
      toServer: (message, extra) => this.onmessage?.(message, extra),
    });
    this.#offerOptionalMembers();
  }

  get sessionId(): string | undefined {
    return this.#inner.sessionId;
  }

  /** Callbacks that the transport had before stay in force, as the SDKs keep them. */
  async start(): Promise<void> {
    const { onmessage, onclose, onerror } = this.#inner;
    this.#inner.onmessage = (message, extra) => {
      onmessage?.(message, extra);
      this.#connection.receive(message, extra);
    };
    this.#inner.onclose = () => {
      this.#connection.close();
      onclose?.();
      this.onclose?.();
    };
    this.#inner.onerror = (error) => {
      onerror?.(error);
      this.onerror?.(error);
    };
    await this.#inner.start();
  }

  send(message: unknown, options?: SendOptions): Promise<void> {
    return this.#connection.deliver(message, options);
  }

  close(): Promise<void> {
    return this.#inner.close();
  }

  /** The SDKs look whether a member is there, so each is there only if the transport has it. */
  #offerOptionalMembers(): void {
    const inner = this.#inner;
    if (inner.setProtocolVersion) {
      this.setProtocolVersion = (version) => inner.setProtocolVersion?.(version);
    }
    if (inner.setSupportedProtocolVersions) {
      this.setSupportedProtocolVersions = (versions) =>
        inner.setSupportedProtocolVersions?.(versions);
    }
    if (inner.setScopeChallengeResolver) {
      this.setScopeChallengeResolver = (resolver) => inner.setScopeChallengeResolver?.(resolver);
    }
  }
}
