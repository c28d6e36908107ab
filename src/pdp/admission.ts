/** The way of a request to its endpoint: what it must be, and who sends it. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  answerProof,
  isNonce,
  PROOF_HEADERS,
  signingTime,
  type SignedRequest,
} from '../contract/proof.ts';
import type { Caller } from '../decision/types.ts';
import {
  callerOf,
  findCredential,
  isProved,
  SOCKET_CALLER,
  type Credential,
  type TokenSource,
} from './authentication.ts';
import { readBody } from './body.ts';
import type { CertificateCallers } from './certificate_callers.ts';
import { refusal, type Answer, type Route } from './exchange.ts';
import type { SignedRequests } from './signed_requests.ts';
import { UNVERIFIED } from './tls.ts';
import { findWireFault, type Channel } from './wire.ts';

/** What a request is measured by. */
export interface Admission {
  tokens: TokenSource;
  /** Who the certificates of clients belong to. */
  certificates: CertificateCallers;
  body_bytes_max: number;
  taken: SignedRequests;
}

/** A request and the way to answer it. */
export interface Wire {
  request: IncomingMessage;
  response: ServerResponse;
  channel: Channel;
}

/** One request on its way; only a caller and a credential that are proved stand here. */
export interface Call extends Wire {
  caller: Caller;
  credential?: Credential | undefined;
  body: Uint8Array;
}

const CHALLENGE = { 'WWW-Authenticate': 'Bearer realm="portcullis"' };

/** Reads the body and proves the caller, or says why not. */
export async function admit(
  route: Route,
  call: Call,
  { tokens, certificates, body_bytes_max, taken }: Admission,
): Promise<Answer | undefined> {
  const fault = findWireFault(route, call.request, call.channel);
  if (fault) return fault;
  const shown = findCaller(call, tokens, certificates);
  const unfit = findCallerFault(route, shown);
  if (unfit) return unfit;
  if (route.method === 'POST') call.body = await readBody(call.request, body_bytes_max);
  if ('fault' in shown) return undefined;
  const { caller, credential } = shown;
  if (credential && !isProved(credential, signedRequest(call))) return unauthenticated(NO_TOKEN);
  const stale = credential && findSignatureFault(credential, call, taken);
  if (stale) return stale;
  call.caller = caller;
  call.credential = credential;
  return undefined;
}

/** Who a request seems to come from; a proof in its credential is still to be checked. */
type Shown =
  | { caller: Caller; credential?: Credential | undefined }
  | { fault: string; headers?: Record<string, string> };

/** A certificate is verified as its connection begins, so the next try needs another one. */
const ANOTHER_CONNECTION = { Connection: 'close' };

const NO_TOKEN = 'a valid bearer token is needed';

function findCaller(
  { request, channel }: Call,
  tokens: TokenSource,
  certificates: CertificateCallers,
): Shown {
  const { authorization } = request.headers;
  const certificate = channel.certificateOf?.(request.socket);
  if (certificate === undefined) {
    const credential = findCredential(authorization, tokens.current());
    if (channel.kind === 'socket') return { caller: SOCKET_CALLER, credential };
    return credential ? { caller: callerOf(credential), credential } : { fault: NO_TOKEN };
  }
  // Two ways to say who one is could say two things.
  if (authorization !== undefined) return { fault: 'a caller has a certificate or a token' };
  const caller = certificate === UNVERIFIED ? undefined : certificates.find(certificate);
  if (caller) return { caller };
  const fault = "the client's certificate is that of no caller";
  return { fault, headers: ANOTHER_CONNECTION };
}

/** Known before the body is read, so that a stranger cannot make us hold one. */
function findCallerFault(route: Route, shown: Shown): Answer | undefined {
  if (route.scope === null) return undefined;
  if ('fault' in shown) return unauthenticated(shown.fault, shown.headers);
  if (shown.caller.scopes.has(route.scope)) return undefined;
  return refusal(403, 'UNAUTHENTICATED', `the caller lacks the scope \`${route.scope}\``);
}

/** Only a proof that is right is remembered, so that strangers cannot fill the memory. */
function findSignatureFault(
  { token, proof }: Credential,
  { request }: Call,
  taken: SignedRequests,
): Answer | undefined {
  if (proof === undefined) return undefined;
  const fault = taken.take({
    token: token.stored_key.toString('latin1'),
    time_ms: signingTime(request.headers[PROOF_HEADERS.time]),
    proof,
  });
  if (fault === undefined) return undefined;
  return refusal(401, 'SIGNATURE_REFUSED', fault, { headers: CHALLENGE });
}

function signedRequest({ request, body }: Call): SignedRequest {
  return {
    nonce: String(request.headers[PROOF_HEADERS.nonce]),
    time: String(request.headers[PROOF_HEADERS.time]),
    method: request.method ?? '',
    target: request.url ?? '',
    body,
  };
}

function unauthenticated(message: string, headers: Record<string, string> = {}): Answer {
  return refusal(401, 'UNAUTHENTICATED', message, { headers: { ...CHALLENGE, ...headers } });
}

/** The header by which the service proves an answer to who holds a token. */
export function proofOf(
  call: Call,
  status: number,
  body: string | Uint8Array,
): Record<string, string> {
  const { credential, request } = call;
  if (!credential || !isNonce(request.headers[PROOF_HEADERS.nonce])) return {};
  const proof = answerProof(credential.token, signedRequest(call), { status, body });
  return { [PROOF_HEADERS.proof]: proof };
}
