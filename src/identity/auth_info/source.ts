/**
 * The host's own authentication: what its bearer check laid on the request as `authInfo`, in the
 * shape that both lines of the MCP SDK share. The host has verified the token; here its claims
 * become attributes, by declaration. The token itself is never read. Headers, `_meta` and the
 * client's own description are no proof, and nothing here looks at them.
 */
import type { Clock } from '../../contract/ambient.ts';
import type { ActorType } from '../../contract/types.gen.ts';
import { Unproved, present, sourceOf } from '../proof.ts';
import type { IdentitySource, TrustedContext } from '../types.ts';
import {
  actorsOf,
  claimAt,
  isClaims,
  millisecondsOf,
  nameAt,
  namesAt,
  rfc3339,
  type Claims,
} from './claims.ts';
import { completeMapping, pairedWith, type AuthInfoMapping } from './mapping.ts';

const SYSTEM_CLOCK: Clock = { now_ms: () => Date.now() };

/**
 * `verifier` names, in the evidence, who verified what the host handed on. Throws
 * `CONFIGURATION_INVALID` where the mapping breaks mapping.schema.json.
 */
export function fromAuthInfo(
  mapping: AuthInfoMapping = {},
  clock: Clock = SYSTEM_CLOCK,
  verifier: 'auth_info' | 'jwt' = 'auth_info',
): IdentitySource {
  const complete = completeMapping(mapping);
  return sourceOf(({ authInfo }) => {
    if (!isClaims(authInfo)) throw new Unproved('the host authenticated nobody');
    return contextOf(readAuthInfo(authInfo), { ...complete, verifier }, clock.now_ms());
  });
}

interface AuthInfo {
  client: string;
  expires_ms: number | undefined;
  claims: Claims;
}

/** The members that are used, each read once. */
function readAuthInfo(authInfo: Claims): AuthInfo {
  const claims = claimAt(authInfo, 'extra') ?? {};
  if (!isClaims(claims)) throw new Unproved('`extra` is no object');
  const client = nameAt(authInfo, 'clientId');
  if (client === undefined) throw new Unproved('`clientId` is absent');
  for (const claim of ['client_id', 'azp']) {
    agree(client, claimAt(claims, claim), claim);
  }
  const expires_ms = millisecondsOf(claimAt(authInfo, 'expiresAt'), 'expiresAt');
  const exp_ms = millisecondsOf(claimAt(claims, 'exp'), 'exp');
  if (expires_ms !== undefined) agree(expires_ms, exp_ms, 'exp');
  return { client, expires_ms: expires_ms ?? exp_ms, claims };
}

/** Two statements of one fact that differ prove neither. */
function agree(stated: unknown, claimed: unknown, claim: string): void {
  if (claimed !== undefined && claimed !== stated) {
    throw new Unproved(`the claim \`${claim}\` contradicts what the host says`);
  }
}

function contextOf(
  { client, expires_ms, claims }: AuthInfo,
  mapping: Required<AuthInfoMapping> & { verifier: string },
  now_ms: number,
): TrustedContext {
  const id = subjectId(claims, mapping);
  const properties = {
    ...mappedAttributes(claims, mapping),
    actor_type: actorTypeOf(claims, client, mapping),
    assurance: assuranceOf(claims, now_ms + mapping.clock_skew_seconds_max * 1000),
    delegation: actorsOf(claims),
    evidence: [evidenceOf(claims, mapping)],
  };
  return {
    subject: { type: 'identity', id, properties: present(properties) },
    agent: { id: client, verified: true },
    ...(expires_ms !== undefined && { session: sessionOf(expires_ms, now_ms) }),
  };
}

/** An address names its user only where the issuer says that it verified it (OpenID Connect). */
function subjectId(claims: Claims, mapping: Required<AuthInfoMapping>): string {
  const id = nameAt(claims, mapping.subject_claim);
  if (id === undefined) throw new Unproved(`the claim \`${mapping.subject_claim}\` is absent`);
  if (mapping.subject_claim === 'email' && claimAt(claims, 'email_verified') !== true) {
    throw new Unproved('the claim `email` is not verified');
  }
  return prefixOf(claims, mapping) + id;
}

/** Subjects are unique within an issuer: where there are several, each has a prefix of its own. */
function prefixOf(claims: Claims, mapping: Required<AuthInfoMapping>): string {
  const { issuer_prefixes, subject_prefix } = mapping;
  if (issuer_prefixes.length === 0) return subject_prefix;
  const prefix = pairedWith(issuer_prefixes, nameAt(claims, 'iss') ?? '');
  if (prefix === undefined) throw new Unproved('the issuer has no prefix');
  return prefix;
}

/** The type that the claim means, or that the client always is; where both speak they agree. */
function actorTypeOf(
  claims: Claims,
  client: string,
  { actor_type, actor_types, client_actor_types }: Required<AuthInfoMapping>,
): ActorType | undefined {
  const said = actor_type === null ? undefined : nameAt(claims, actor_type);
  const listed = actor_types.length > 0 ? actor_types : ITSELF;
  const claimed = said === undefined ? undefined : pairedWith(listed, said);
  const fixed = pairedWith(client_actor_types, client);
  if (claimed !== undefined && fixed !== undefined && claimed !== fixed) {
    throw new Unproved('the actor type of the claim contradicts that of the client');
  }
  return (claimed ?? fixed) as ActorType | undefined;
}

const ITSELF = ['human', 'supervised_ai', 'automation', 'service_account'].map(
  (type) => `${type}=${type}`,
);

function mappedAttributes(claims: Claims, { groups, tenant }: AuthInfoMapping) {
  const attributes = {
    groups: groups ? namesAt(claims, groups) : undefined,
    tenant: tenant ? nameAt(claims, tenant) : undefined,
  };
  if (tenant && attributes.tenant === undefined) throw new Unproved('the tenant is absent');
  return attributes;
}

/** How the user logged in (OpenID Connect Core, section 2). */
function assuranceOf(claims: Claims, latest_ms: number) {
  const login_ms = millisecondsOf(claimAt(claims, 'auth_time'), 'auth_time');
  if (login_ms !== undefined && login_ms > latest_ms) {
    throw new Unproved('the claim `auth_time` lies in the future');
  }
  const assurance = present({
    acr: nameAt(claims, 'acr'),
    amr: namesAt(claims, 'amr'),
    authenticated_at: login_ms === undefined ? undefined : rfc3339(login_ms),
  });
  return Object.keys(assurance).length === 0 ? undefined : assurance;
}

/** The credential is the session; it ends on the second of its expiry (RFC 7519, `exp`). */
function sessionOf(expires_ms: number, now_ms: number) {
  const state: 'active' | 'expired' = now_ms < expires_ms ? 'active' : 'expired';
  return { state, expires_at: rfc3339(expires_ms) };
}

/** Names of the claims that were used, never their values. */
function evidenceOf(claims: Claims, mapping: Required<AuthInfoMapping> & { verifier: string }) {
  const { subject_claim, groups, tenant, actor_type } = mapping;
  const used = [subject_claim, groups, tenant, actor_type, 'acr', 'amr', 'auth_time', 'act'].filter(
    (claim) => claim !== null && claimAt(claims, claim) !== undefined,
  );
  return {
    source: mapping.verifier,
    ...present({ issuer: nameAt(claims, 'iss') }),
    claims: used as string[],
  };
}
