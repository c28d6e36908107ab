/** The one way from what a source found to a trusted context: complete, within limits, frozen. */
import { VALIDATORS } from '../contract/validate.ts';
import type { IdentitySource, RequestExtra, TrustedContext } from './types.ts';

/** Thrown inside a source where it proves nobody; the message is the reason for the log. */
export class Unproved extends Error {}

/** Makes a source of a way to find: whatever goes wrong there, nobody is proved. */
export function sourceOf(find: (extra: RequestExtra) => TrustedContext): IdentitySource {
  return (extra, report) => {
    try {
      return checked(find(extra));
    } catch (error) {
      report?.(error instanceof Unproved ? error.message : 'the identity source failed');
      return undefined;
    }
  };
}

/** The limits and types are those of the evaluation request, which the context becomes part of. */
export function checked(context: TrustedContext): TrustedContext {
  const copy = structuredClone(context);
  const { subject, ...circumstances } = copy;
  const validated = VALIDATORS.evaluation_request({
    subject,
    action: { name: 'initialize' },
    resource: { type: 'mcp_server', id: 'any', properties: { server: 'any' } },
    context: { profile: 'mcp/1', phase: 'call', ...circumstances },
  });
  if (validated.ok) return frozen(copy);
  const { pointer, keyword } = validated.fault;
  throw new Unproved(`the identity breaks its schema at \`${pointer}\` (${keyword})`);
}

/** Whoever stands behind this process stands behind stdio, but not behind a request over HTTP. */
export function refuseHttp({ authInfo, requestInfo }: RequestExtra): void {
  if (authInfo !== undefined || requestInfo !== undefined) {
    throw new Unproved('a local source proves nobody on HTTP');
  }
}

/** Control characters have no place in a principal, which is compared, logged and recorded. */
export function isName(text: unknown): text is string {
  return typeof text === 'string' && /^[^\p{Cc}\p{Cs}]+$/u.test(text);
}

/** The members that are there, neither null nor undefined. */
export function present<Members extends object>(
  members: Members,
): { [Name in keyof Members]?: NonNullable<Members[Name]> } {
  const there = Object.entries(members).filter(
    ([, value]) => value !== null && value !== undefined,
  );
  return Object.fromEntries(there) as { [Name in keyof Members]?: NonNullable<Members[Name]> };
}

/** The value, with all that it holds, made unchangeable in place. */
export function frozen<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null) return value;
  for (const member of Object.values(value)) frozen(member);
  return Object.freeze(value);
}
