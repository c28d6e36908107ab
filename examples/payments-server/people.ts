/** The people and clients of the example, and a bearer check that knows them. */
import { hash, randomBytes } from 'node:crypto';
import { InvalidTokenError } from '@modelcontextprotocol/sdk/server/auth/errors.js';
import type { OAuthTokenVerifier } from '@modelcontextprotocol/sdk/server/auth/provider.js';
import type { AuthInfo } from '@modelcontextprotocol/sdk/server/auth/types.js';

/** What the token of a person says, as an authorization server would issue it. */
interface Person {
  client_id: string;
  sub: string;
  groups: readonly string[];
  actor_type: string;
}

export const PEOPLE: readonly Person[] = [
  person('cid-teller-desk', 'alice@example.com', 'tellers'),
  person('cid-teller-desk', 'bob@example.com', 'tellers'),
  person('cid-support-bot', 'dana@example.com', 'support'),
  person('cid-planner', 'alice@example.com', 'tellers'),
  { ...person('cid-nightly-job', 'nightly-ledger', 'automation'), actor_type: 'automation' },
];

function person(client_id: string, sub: string, group: string): Person {
  return { client_id, sub, groups: [group], actor_type: 'human' };
}

/** A fresh random token for each of them, and the check that accepts these for `lifetime_s`. */
export function issueTokens(lifetime_s: number) {
  const expiresAt = Math.floor(Date.now() / 1000) + lifetime_s;
  const issued = PEOPLE.map((who) => ({ who, token: randomBytes(32).toString('base64url') }));
  const known = new Map(issued.map(({ who, token }) => [digest(token), who]));
  const verifier: OAuthTokenVerifier = {
    verifyAccessToken(token): Promise<AuthInfo> {
      const who = known.get(digest(token));
      if (who === undefined) return Promise.reject(new InvalidTokenError('unknown token'));
      const { client_id: clientId, ...claims } = who;
      return Promise.resolve({ token, clientId, scopes: [], expiresAt, extra: claims });
    },
  };
  return { issued, verifier };
}

function digest(token: string): string {
  return hash('sha256', token, 'hex');
}
