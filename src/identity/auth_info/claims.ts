/**
 * Reads single facts out of claims. A fact that is absent is undefined; one that is there but not
 * what its specification says makes the whole token prove nobody, because somebody meant something
 * by it. Lengths and numbers of items are left to the schema that every identity passes.
 */
import { pointerSteps } from '../../contract/json.ts';
import { Unproved, isName } from '../proof.ts';

export type Claims = Record<string, unknown>;

/** As many links as the evaluation request takes. */
const ACT_DEPTH_MAX = 8;

/** 9999-12-31T23:59:59Z, the last second that RFC 3339 can write. */
const NUMERIC_DATE_MAX = 253_402_300_799;

/** The claim of that name or JSON Pointer, among own members only. */
export function claimAt(claims: unknown, claim: string): unknown {
  const steps = claim.startsWith('/') ? pointerSteps(claim) : [claim];
  let value = claims;
  for (const step of steps ?? []) {
    value = isClaims(value) && Object.hasOwn(value, step) ? value[step] : undefined;
  }
  return value;
}

export function isClaims(value: unknown): value is Claims {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A text that can stand in an id. */
export function nameAt(claims: Claims, claim: string): string | undefined {
  const value = claimAt(claims, claim);
  if (value === undefined || isName(value)) return value;
  throw new Unproved(`the claim \`${claim}\` is no name`);
}

/** An array of texts, or one text that lists them with spaces between (RFC 8693, `scope`). */
export function namesAt(claims: Claims, claim: string): string[] | undefined {
  const value = claimAt(claims, claim);
  if (value === undefined) return undefined;
  if (typeof value === 'string') return value.split(' ').filter((name) => name !== '');
  if (Array.isArray(value) && value.every(isName)) return value;
  throw new Unproved(`the claim \`${claim}\` is no list of names`);
}

/** NumericDate (RFC 7519): seconds since 1970, in milliseconds. */
export function millisecondsOf(value: unknown, claim: string): number | undefined {
  if (value === undefined) return undefined;
  const fits = typeof value === 'number' && value >= 0 && value <= NUMERIC_DATE_MAX;
  if (!fits) throw new Unproved(`the claim \`${claim}\` is no time`);
  return Math.floor(value * 1000);
}

export function rfc3339(time_ms: number): string {
  return new Date(time_ms).toISOString();
}

/**
 * The actors of the `act` claim (RFC 8693, section 4.1), the one that acts now first. Subjects are
 * unique within an issuer, so an actor of another issuer is nobody here.
 */
export function actorsOf(claims: Claims): { id: string }[] | undefined {
  const actors: { id: string }[] = [];
  for (let act = claimAt(claims, 'act'); act !== undefined; act = claimAt(act, 'act')) {
    if (!isClaims(act)) throw new Unproved('the claim `act` is no object');
    if (actors.length === ACT_DEPTH_MAX) throw new Unproved('the claim `act` is too deep');
    const issuer = claimAt(act, 'iss');
    const foreign = issuer !== undefined && issuer !== claimAt(claims, 'iss');
    if (foreign) throw new Unproved('the claim `act` names another issuer');
    const id = nameAt(act, 'sub');
    if (id === undefined) throw new Unproved('the claim `act` names no subject');
    actors.push({ id });
  }
  requireNamedActor(claims);
  return actors.length === 0 ? undefined : actors;
}

/**
 * Who may act for the subject is named by `may_act` (RFC 8693, section 4.4): where the token says
 * so, the one that acts now must be that one, in each member that names it.
 */
function requireNamedActor(claims: Claims): void {
  const named = claimAt(claims, 'may_act');
  if (named === undefined) return;
  if (!isClaims(named)) throw new Unproved('the claim `may_act` is no object');
  const act = claimAt(claims, 'act');
  if (act === undefined) return;
  const members = Object.entries(named);
  const issuer = claimAt(claims, 'iss');
  const isNamed = members.every(([member, value]) => {
    const said = claimAt(act, member) ?? (member === 'iss' ? issuer : undefined);
    return typeof value === 'string' && said === value;
  });
  if (members.length === 0 || !isNamed) {
    throw new Unproved('the claim `may_act` names another actor');
  }
}
