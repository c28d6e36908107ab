/** Who asks, as a source proved it. What nobody proved stands under `claimed`, or is left out. */
import type { Context, Subject } from '../contract/types.gen.ts';

/** The proved part of an evaluation request, in its words. Frozen. */
export interface TrustedContext {
  subject: Subject;
  agent?: NonNullable<Context['agent']>;
  surface?: NonNullable<Context['surface']>;
  environment?: NonNullable<Context['environment']>;
  session?: NonNullable<Context['session']>;
  purpose?: NonNullable<Context['purpose']>;
}

/** What the host handed on with a request: its own authentication, and the HTTP request. */
export interface RequestExtra {
  authInfo?: unknown;
  requestInfo?: unknown;
  /** Of the connection that it came by; absent where the host serves no sockets of its own. */
  connection?: ConnectionFacts | undefined;
}

/**
 * What the sockets of this process say of a connection. Nothing here was sent in a header: it is
 * read off the socket by `connectionFactsOf` alone. Frozen.
 */
export interface ConnectionFacts {
  /** Path of the Unix socket that accepted it; absent on TCP. */
  socket_path?: string;
  /** Certificate of the client, where the TLS handshake verified it against the CAs of the host. */
  peer_certificate?: PeerCertificate;
}

export interface PeerCertificate {
  /** SHA-256 of the DER as base64url: `x5t#S256` of RFC 8705, section 3.1. */
  thumbprint: string;
  /** Distinguished name of the subject, `CN=…,O=…`; empty where there is none. */
  subject: string;
  /** Subject alternative names (RFC 5280, section 4.2.1.6) of these kinds. */
  uris: readonly string[];
  dns_names: readonly string[];
  emails: readonly string[];
  /** Milliseconds since 1970. A connection outlives neither: who relies on it compares them. */
  valid_from_ms: number;
  valid_to_ms: number;
}

/**
 * Resolves a request to the one who makes it. Undefined: nobody is proved, and the request must be
 * refused. Never throws. `report` receives the reason for the log, without values of the request.
 */
export type IdentitySource = (
  extra: RequestExtra,
  report?: (reason: string) => void,
) => TrustedContext | undefined;
