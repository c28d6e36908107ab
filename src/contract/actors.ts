/** Who may stand where an actor is required (ruling R12). Both sides of a decision ask this. */
import type { ActorType } from './types.gen.ts';

const SATISFYING: Readonly<Record<ActorType, readonly unknown[]>> = {
  human: ['human'],
  supervised_ai: ['supervised_ai', 'human'],
  automation: ['automation'],
  service_account: ['service_account'],
};

/** True where a proved actor type meets the demand; an unproved one meets none. */
export function satisfiesActor(required: ActorType, proved: unknown): boolean {
  return SATISFYING[required].includes(proved);
}
