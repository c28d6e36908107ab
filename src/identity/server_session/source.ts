/**
 * The session that the host keeps of who asks: its own record, found by what its own authentication
 * laid on the request. Never by a connection: MCP 2026-07-28 has no sessions of a connection, and a
 * list may not vary by one (ruling R17). So the lookup is shown neither connection nor headers.
 */
import type { Clock } from '../../contract/ambient.ts';
import type { ActorType } from '../../contract/types.gen.ts';
import { Unproved, isName, present, sourceOf } from '../proof.ts';
import type { IdentitySource, TrustedContext } from '../types.ts';

/** A record of the host's session store. */
export interface ServerSession {
  subject: {
    /** Principal, such as `user:alice@example.com`. */
    id: string;
    actor_type?: ActorType;
    groups?: string[];
    tenant?: string;
  };
  /** `step_up`: what needs a stronger login is refused until there was one. */
  state: 'active' | 'expired' | 'step_up';
  /** When it ends; from then on it is `expired`, whatever the store says. */
  expires_at?: Date;
  /** The client that the host verified. */
  agent?: { id: string };
}

/** Finds the session by the host's own proof of the caller; undefined: there is none. */
export type SessionLookup = (authInfo: unknown) => ServerSession | undefined;

const SYSTEM_CLOCK: Clock = { now_ms: () => Date.now() };

export function fromServerSession(
  lookup: SessionLookup,
  clock: Clock = SYSTEM_CLOCK,
): IdentitySource {
  return sourceOf(({ authInfo }) => {
    if (authInfo === undefined || authInfo === null) {
      throw new Unproved('the host authenticated nobody');
    }
    const session = lookup(authInfo);
    if (session === undefined) throw new Unproved('there is no session');
    return contextOf(session, clock.now_ms());
  });
}

function contextOf(
  { subject: { id, actor_type, groups, tenant }, state, expires_at, agent }: ServerSession,
  now_ms: number,
): TrustedContext {
  if (!isName(id)) throw new Unproved('the session has no subject');
  const expires_ms = expires_at?.getTime();
  const isOver = expires_ms !== undefined && !(now_ms < expires_ms);
  const evidence = [{ source: 'server_session', claims: ['subject', 'state', 'expires_at'] }];
  return {
    subject: {
      type: 'identity',
      id,
      properties: { ...present({ actor_type, groups, tenant }), evidence },
    },
    ...(agent && { agent: { id: agent.id, verified: true } }),
    session: {
      state: isOver ? 'expired' : state,
      ...(expires_at && { expires_at: expires_at.toISOString() }),
    },
  };
}
