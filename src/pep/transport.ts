/**
 * The `Transport` of the MCP SDKs as a structure: both lines fit it, and none is imported. Messages
 * are `unknown` here, because nothing is believed of them before they are captured.
 */

/** What a transport knows beside a message: proofs of the caller, the HTTP request, the era. */
export interface MessageExtra {
  authInfo?: unknown;
  /** HTTP headers and URL (1.x). */
  requestInfo?: unknown;
  /** The web request (2.x). */
  request?: unknown;
  [member: string]: unknown;
}

export interface SendOptions {
  relatedRequestId?: string | number | undefined;
  [member: string]: unknown;
}

export interface Transport {
  start(): Promise<void>;
  send(message: unknown, options?: SendOptions): Promise<void>;
  close(): Promise<void>;
  onclose?: (() => void) | undefined;
  onerror?: ((error: Error) => void) | undefined;
  onmessage?: ((message: unknown, extra?: MessageExtra) => void) | undefined;
  sessionId?: string | undefined;
  setProtocolVersion?: ((version: string) => void) | undefined;
  setSupportedProtocolVersions?: ((versions: string[]) => void) | undefined;
  setScopeChallengeResolver?: ((resolver: ScopeResolver) => void) | undefined;
}

/** Asked by HTTP transports of 2.x before a message arrives; undefined = no challenge. */
export type ScopeResolver = (context: { request: unknown; authInfo?: unknown }) => unknown;
