/**
 * Who comes in over HTTP. Where a credential is verified here, whoever has none comes no further
 * than this: not to the body of the request, and not to a server (MCP, authorization).
 */
import type { Refusal } from '../../identity/authenticator.ts';
import { REFUSALS } from '../../identity/jwt/refusals.ts';
import { failure, RPC } from '../answers.ts';
import type { GuardParts } from '../settings.ts';
import { stepUpAsked } from '../step_up.ts';
import { turnAway } from './http_body.ts';
import type { Given } from './http_types.ts';

export type CallerParts = Pick<GuardParts, 'authenticator' | 'identity' | 'log' | 'turnedAway'>;

/** The metadata of the resource, for which nobody needs a token (RFC 9728, section 3.1). */
export function metadataFor(
  { authenticator }: CallerParts,
  request: Request,
): Response | undefined {
  if (authenticator === undefined || !['GET', 'HEAD'].includes(request.method)) return undefined;
  const { resource } = authenticator;
  if (new URL(request.url).pathname !== resource.metadata_path) return undefined;
  // Clients in browsers read it before they have anything to be kept from others.
  const headers = { 'access-control-allow-origin': '*', 'cache-control': 'max-age=300' };
  return Response.json(resource.metadata(), { headers });
}

/** What comes with the request, with a verified proof of its caller; else the refusal. */
export async function admitCaller(
  parts: CallerParts,
  request: Request,
  given: Given,
): Promise<Given | Response> {
  const { authenticator, identity } = parts;
  if (authenticator === undefined) return given;
  const { connection, authInfo } = given;
  const authorization = request.headers.get('authorization') ?? undefined;
  const found = await authenticator.authenticate({ authorization, connection, authInfo, request });
  if (!found.ok) return refused(parts, found);
  let detail: string | undefined;
  const trusted = identity(
    { authInfo: found.authInfo, requestInfo: request, connection },
    (reason) => (detail = reason),
  );
  if (trusted !== undefined) return { ...given, authInfo: found.authInfo };
  return refused(parts, { status: 401, error: 'invalid_token', code: 'IDENTITY_UNPROVED', detail });
}

/**
 * The operator reads which check failed, the caller only that one did. Who brings no token claims
 * to be nobody: so every client begins (MCP, authorization), and evidence does not hear of it.
 */
function refused(
  { authenticator, log, turnedAway }: CallerParts,
  { status, error, code, detail }: Refusal,
): Response {
  const fields = { code, reason: REFUSALS[code], ...(detail !== undefined && { detail }) };
  if (code === 'TOKEN_ABSENT') log.debug('a caller brought no token', fields);
  else {
    log.warn('a caller is refused', fields);
    turnedAway?.count('jwt', code);
  }
  const message = status === 401 ? 'Unauthorized' : 'Forbidden';
  const response = turnAway(status, failure(undefined, RPC.INVALID_REQUEST, message));
  response.headers.set(
    'www-authenticate',
    authenticator?.resource.challenge({ error }) ?? 'Bearer',
  );
  return response;
}

/**
 * The response, or a challenge in its place where the caller was asked for a stronger login. A
 * stream begins before anything is decided, so that its first event is waited for.
 */
export async function withStepUp(
  { authenticator }: CallerParts,
  authInfo: unknown,
  response: Response,
): Promise<Response> {
  if (authenticator === undefined || response.body === null) return response;
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  const first = await reader.read();
  const asked = stepUpAsked(authInfo);
  if (asked === undefined) return new Response(resumed(reader, first), response);
  await reader.cancel();
  const { scopes = [] } = authInfo as { scopes?: readonly string[] };
  const challenge = turnAway(403, asked.message);
  challenge.headers.set('www-authenticate', authenticator.resource.stepUp(scopes, asked.acr));
  return challenge;
}

function resumed(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  first: Awaited<ReturnType<typeof reader.read>>,
): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>({
    start(controller) {
      if (first.done) controller.close();
      else controller.enqueue(first.value);
    },
    async pull(controller) {
      const { done, value } = await reader.read();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: (reason) => reader.cancel(reason),
  });
}
