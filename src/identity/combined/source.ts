/**
 * Several sources for one request. What they prove must fit together: where two name different
 * subjects, tenants, actors or agents, nobody is proved, because one of them is wrong and nothing
 * says which.
 */
import { isDeepStrictEqual } from 'node:util';
import { Unproved, sourceOf } from '../proof.ts';
import type { IdentitySource, RequestExtra, TrustedContext } from '../types.ts';

type Session = NonNullable<TrustedContext['session']>;
type Members = Readonly<Record<string, unknown>>;

/** What those prove that prove anybody; at least one must. */
export function anyOf(...sources: readonly IdentitySource[]): IdentitySource {
  return sourceOf((extra) => {
    const { proved, reasons } = ask(sources, extra);
    if (proved.length === 0) throw new Unproved(reasons.join('; '));
    return proved.reduce(unite);
  });
}

/** What all of them prove together; none may prove nobody. */
export function allOf(...sources: readonly IdentitySource[]): IdentitySource {
  return sourceOf((extra) => {
    const { proved, reasons } = ask(sources, extra);
    if (reasons.length > 0 || proved.length === 0) throw new Unproved(reasons.join('; '));
    return proved.reduce(unite);
  });
}

function ask(sources: readonly IdentitySource[], extra: RequestExtra) {
  const proved: TrustedContext[] = [];
  const reasons: string[] = [];
  for (const source of sources) {
    let told = 'a source gave no reason';
    const found = source(extra, (reason) => (told = reason));
    if (found) proved.push(found);
    else reasons.push(told);
  }
  return { proved, reasons };
}

function unite(one: TrustedContext, other: TrustedContext): TrustedContext {
  const { subject, session, ...circumstances } = one;
  const { subject: same, session: further, ...more } = other;
  if (subject.type !== same.type || subject.id !== same.id) throw contradiction('subject');
  const { evidence = [], ...attributes } = subject.properties ?? {};
  const { evidence: beside = [], ...others } = same.properties ?? {};
  const properties = { ...agreed(attributes, others), evidence: [...evidence, ...beside] };
  return {
    ...agreed(circumstances, more),
    subject: { type: subject.type, id: subject.id, properties },
    ...sessionOf(session, further),
  };
}

function sessionOf(one: Session | undefined, other: Session | undefined): { session?: Session } {
  const session = one && other ? stricter(one, other) : (one ?? other);
  return session ? { session } : {};
}

/** The members of both; what both state, they state alike. */
function agreed(one: Members, other: Members): object {
  for (const [name, value] of Object.entries(other)) {
    if (Object.hasOwn(one, name) && !isDeepStrictEqual(one[name], value)) {
      throw contradiction(name);
    }
  }
  return { ...one, ...other };
}

const STRICTNESS: readonly Session['state'][] = ['active', 'step_up', 'expired'];

/** Each credential has an end of its own: the earliest counts, and the least that holds. */
function stricter(one: Session, other: Session): Session {
  const states = [one.state, other.state].map((state) => STRICTNESS.indexOf(state));
  const [end] = [one.expires_at, other.expires_at]
    .filter((time) => time !== undefined)
    .sort((a, b) => Date.parse(a) - Date.parse(b));
  const state = STRICTNESS[Math.max(...states)] ?? 'expired';
  return { state, ...(end !== undefined && { expires_at: end }) };
}

function contradiction(what: string): Unproved {
  return new Unproved(`two sources contradict each other about \`${what}\``);
}
