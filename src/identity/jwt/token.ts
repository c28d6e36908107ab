/** A signed JWT in compact form (RFC 7519, RFC 7515, section 3.1), taken apart without trust. */
import { parseJson } from '../../contract/json.ts';
import type { Claims } from '../auth_info/claims.ts';
import { isClaims } from '../auth_info/claims.ts';
import { TokenRefused } from './refusals.ts';

export interface Jws {
  /** As it came, for the check of the signature. */
  compact: string;
  header: Readonly<Record<string, unknown>>;
  payload: Uint8Array;
}

/** RFC 6750, section 2.1. Other schemes are no bearer tokens. */
const BEARER = /^Bearer +(.*)$/i;

/** The token of a header; throws `TOKEN_ABSENT`. */
export function bearerOf(authorization: string | undefined): string {
  const token = BEARER.exec(authorization ?? '')?.[1];
  if (token === undefined) throw new TokenRefused('TOKEN_ABSENT');
  return token;
}

/**
 * Takes a token apart. Each part is read only where it is written in the one way that its bytes are
 * written, so that no second text passes for the one that was signed.
 */
export function readToken(compact: string, token_bytes_max: number): Jws {
  if (compact.length > token_bytes_max) throw new TokenRefused('TOKEN_TOO_LARGE');
  const parts = compact.split('.', 4);
  if (parts.length !== 3) throw new TokenRefused('TOKEN_MALFORMED', 'it has not three parts');
  const [header, payload] = parts.map(bytesOf) as [Uint8Array, Uint8Array];
  return { compact, header: objectOf(header, 'header'), payload };
}

/** The claims; read after the signature was checked. */
export function claimsOf({ payload }: Jws): Claims {
  return objectOf(payload, 'payload');
}

function bytesOf(part: string): Uint8Array {
  const bytes = Buffer.from(part, 'base64url');
  const canonical = part !== '' && bytes.toString('base64url') === part;
  if (!canonical) throw new TokenRefused('TOKEN_MALFORMED', 'a part is no base64url');
  return bytes;
}

function objectOf(bytes: Uint8Array, what: string): Claims {
  const parsed = parseJson(bytes);
  if (!parsed.ok) {
    throw new TokenRefused('TOKEN_MALFORMED', `its ${what}: ${parsed.fault.code}`);
  }
  if (!isClaims(parsed.value))
    throw new TokenRefused('TOKEN_MALFORMED', `its ${what} is no object`);
  return parsed.value;
}
