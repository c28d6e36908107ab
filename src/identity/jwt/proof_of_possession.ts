/**
 * A token may be bound to a key (`cnf`, RFC 7800): whoever brings it must prove that they hold the
 * key, so that one who only saw the token can do nothing with it. Each way of proving is a row; a
 * binding that no row knows is refused.
 */
import type { Credential } from '../authenticator.ts';
import type { Claims } from '../auth_info/claims.ts';
import { isClaims } from '../auth_info/claims.ts';
import { TokenRefused } from './refusals.ts';

export interface ProofOfPossession {
  /** The member of `cnf` that names the key: `x5t#S256`, or `jkt` (RFC 9449, section 6.1). */
  readonly member: string;
  /**
   * Undefined where the request proves that its sender holds the key that `confirmation` names;
   * else what is wrong, for the log, without a value of the request. `token` is as it came.
   */
  check(
    confirmation: unknown,
    credential: Credential,
    token: string,
  ): Promise<string | undefined> | string | undefined;
}

/**
 * The certificate of the connection (RFC 8705, section 3): the TLS handshake proved that the client
 * holds its key. One that is told in a header proves nothing.
 */
export const CERTIFICATE_PROOF: ProofOfPossession = {
  member: 'x5t#S256',
  check(confirmation, { connection }) {
    const thumbprint = connection?.peer_certificate?.thumbprint;
    if (thumbprint === undefined) return 'the connection has no verified client certificate';
    return thumbprint === confirmation ? undefined : 'the client certificate is another one';
  },
};

/** Throws where a binding of the token is not proved: all that it names must be. */
export async function requirePossession(
  claims: Claims,
  credential: Credential,
  token: string,
  proofs: readonly ProofOfPossession[],
): Promise<void> {
  const { cnf } = claims;
  if (cnf === undefined) return;
  if (!isClaims(cnf)) throw new TokenRefused('CLAIM_MALFORMED', 'the claim `cnf`');
  const bindings = Object.entries(cnf);
  if (bindings.length === 0) throw new TokenRefused('BINDING_UNKNOWN', 'the claim `cnf` is empty');
  for (const [member, confirmation] of bindings) {
    const proof = proofs.find((each) => each.member === member);
    if (proof === undefined) throw new TokenRefused('BINDING_UNKNOWN');
    const fault = await proof.check(confirmation, credential, token);
    if (fault !== undefined) throw new TokenRefused('BINDING_UNPROVED', fault);
  }
}
