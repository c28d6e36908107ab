/** What a server author imports. Nothing is read or opened before a server is guarded. */
import { openGuard } from './cli/guard.ts';
import type { Guard } from './pep/mcp/guard.ts';
import type { HttpGuard, HttpOptions } from './pep/mcp/http.ts';
import type { ServerFactory } from './pep/mcp/http_types.ts';

export { PortcullisError, type ErrorCode } from './errors.ts';
export { fromAuthInfo } from './identity/auth_info/source.ts';
export { allOf, anyOf } from './identity/combined/source.ts';
export { connectionFactsOf } from './identity/connection_facts.ts';
export { fromMtls, type MtlsMapping } from './identity/mtls/source.ts';
export {
  fromServerSession,
  type ServerSession,
  type SessionLookup,
} from './identity/server_session/source.ts';
export { fromSocketPath, type SocketPathSettings } from './identity/socket_path/source.ts';
export { fromJwt } from './identity/jwt/authenticator.ts';
export type { AuthInfoMapping } from './identity/auth_info/mapping.ts';
export type { Authenticator, Credential } from './identity/authenticator.ts';
export type { ProofOfPossession } from './identity/jwt/proof_of_possession.ts';
export type { JwtOptions } from './identity/jwt/settings.ts';
export type { ConnectionFacts, IdentitySource, TrustedContext } from './identity/types.ts';
export { decisionOf, type CallDecision } from './pep/call_context.ts';
export type { Guard, HttpGuard, HttpOptions, ServerFactory };

let opened: Guard | undefined;

/** The one guard of this process. */
function own(): Guard {
  opened ??= openGuard();
  return opened;
}

/**
 * Guards a server: `await guard(server).connect(transport)`. Settings come from `portcullis.yaml`
 * in the working directory, or the file that `PORTCULLIS_CONFIG` names, and from `PORTCULLIS_*`.
 * Throws `CONFIGURATION_INVALID` where they do not suffice, and `GUARD_MISUSED` where a way round
 * the guard would be left.
 */
export const guard: Guard = Object.assign(<S extends object>(server: S): S => own()(server), {
  http: (factory: ServerFactory, options?: HttpOptions): HttpGuard => own().http(factory, options),
  wire: <T extends object>(transport: T): T => own().wire(transport),
  ready: () => own().ready(),
  close: async () => opened?.close(),
});
