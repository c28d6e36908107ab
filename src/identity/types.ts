/** Who asks, as a source proved it. What nobody proved stands under `claimed`, or is left out. */
import type { Context, Subject } from '../contract/types.gen.ts';

/** The proved part of an evaluation request, in its words. Frozen. */
export interface TrustedContext {
  subject: Subject;
  agent?: NonNullable<Context['agent']>;
  surface?: NonNullable<Context['surface']>;
  environment?: NonNullable<Context['environment']>;
  session?: NonNullable<Context['session']>;
  purpose?: NonNullable<Context['purpose']>;
}

/** What the host handed on with a request: its own authentication, and the HTTP request. */
export interface RequestExtra {
  authInfo?: unknown;
  requestInfo?: unknown;
}

/**
 * Resolves a request to the one who makes it. Undefined: nobody is proved, and the request must be
 * refused. Never throws. `report` receives the reason for the log, without values of the request.
 */
export type IdentitySource = (
  extra: RequestExtra,
  report?: (reason: string) => void,
) => TrustedContext | undefined;
