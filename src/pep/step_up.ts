/**
 * A call that needs a stronger login than the caller has. Over HTTP it is answered by a challenge,
 * which stands in the head of a response and not in a message: what was asked is kept beside the
 * proof that came with the request, which no two requests share.
 */
import type { Obligation, Subject } from '../contract/types.gen.ts';

export type StepUp = Extract<Obligation, { type: 'step_up' }>;

type Assurance = NonNullable<Subject['properties']>['assurance'];

/** The first demand that the login does not meet. One that demands nothing is met by none. */
export function unmetStepUp(
  obligations: readonly Obligation[],
  assurance: Assurance,
): StepUp | undefined {
  return obligations
    .filter((obligation) => obligation.type === 'step_up')
    .find((demand) => demand.mandatory !== false && !meets(assurance, demand));
}

/** Classes of assurance have no order that all issuers share: only the same one is enough. */
function meets(assurance: Assurance, { acr, amr }: StepUp): boolean {
  if (acr === undefined && amr === undefined) return false;
  const used = assurance?.amr ?? [];
  const isOfClass = acr === undefined || assurance?.acr === acr;
  return isOfClass && (amr ?? []).every((method) => used.includes(method));
}

/** What a caller is asked for, and the message that says so to one who reads no heads. */
export interface Asked {
  acr: string | undefined;
  message: object;
}

const ASKED = new WeakMap<object, Asked>();

export function askStepUp(authInfo: unknown, asked: Asked): void {
  if (typeof authInfo === 'object' && authInfo !== null) ASKED.set(authInfo, asked);
}

export function stepUpAsked(authInfo: unknown): Asked | undefined {
  return ASKED.get(authInfo as object);
}
