/** What a guard is handed. Defaults and descriptions stand in the schema of the configuration. */
import type { Clock, Random } from '../contract/ambient.ts';
import type { DecisionPoint } from '../contract/decision_point.ts';
import type { DigestKey } from '../contract/digest.ts';
import type { Authenticator } from '../identity/authenticator.ts';
import type { IdentitySource } from '../identity/types.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { RefusalLimits } from './refusals.ts';
import type { TaskLimits } from './tasks.ts';
import type { TurnedAway } from './turned_away.ts';

export interface GuardSettings extends TaskLimits, RefusalLimits {
  /** Name of the server in capability names, such as `payments` in `tool:payments/transfer`. */
  server: string;
  /** Longest wait for one answer of the decision point. */
  decision_timeout_ms: number;
  /** Most tenants whose policy the guard watches; see `WatchSettings`. */
  tenants_max: number;
  /** Refused tool calls answer with a JSON-RPC error and not with a result. */
  denials_as_errors: boolean;
  /** How long callers that are turned away for one reason are counted as one. */
  turned_away_interval_ms: number;
  /** Most items of each kind that the server may list; with more of them nothing is answered. */
  catalogue_items_max: number;
  /** Longest wait for one page of the server's own lists. */
  catalogue_timeout_ms: number;
  /**
   * Largest arguments of a call. The decision point must be able to take them whole, since what it
   * cannot take would tell which names it knows.
   */
  arguments_bytes_max: number;
  /** Largest result that is masked; a larger one is withheld. */
  result_bytes_max: number;
  /** Most requests of one connection that are unanswered at a time. */
  requests_in_flight_max: number;
  /** How long a cancelled request counts as unanswered. */
  cancelled_timeout_ms: number;
  /** Most resources that one client may subscribe to; the oldest makes room. */
  subscriptions_max: number;
  /** Longest time that a client may keep a filtered list (2026-07-28). */
  list_ttl_ms_max: number;
  /** How long a client may take to answer what a server asks between two rounds (2026-07-28). */
  request_state_ttl_seconds: number;
  /** The decision point writes the audit events of the draft. */
  audit_events: boolean;
  http: HttpSettings;
}

export interface HttpSettings {
  /** Largest request body. */
  body_bytes_max: number;
  /** Most sessions at a time. */
  sessions_max: number;
  /** A session that was not used for this long may be closed for another. */
  session_idle_ms: number;
}

/** What a guard works with. */
export interface GuardParts {
  decisionPoint: DecisionPoint;
  /** Proves the caller of a message; undefined = nobody, who sees and may do nothing. */
  identity: IdentitySource;
  /** Verifies the credential of a request over HTTP first; absent: the host has done that. */
  authenticator?: Authenticator | undefined;
  settings: GuardSettings;
  /** Tells evidence who was turned away; absent: nobody is told. */
  turnedAway?: Pick<TurnedAway, 'count'> | undefined;
  log: Logger;
  clock: Clock;
  random: Random;
  /** For digests of arguments and masked values. */
  digestKey: DigestKey;
}
