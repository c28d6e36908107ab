/** What the handling of one method knows of the connection that it stands in. */
import type { EvaluationResponse, OutcomeReport } from '../contract/types.gen.ts';
import type { Refusal, ServerLine } from './answers.ts';
import type { Snapshot } from './catalogue.ts';
import type { Asker } from './evaluation.ts';
import type { Exchange, ServerAnswer } from './exchange.ts';
import type { Kind } from './kinds.ts';
import type { JsonObject } from './message.ts';
import type { PolicyWatch } from './policy_watch.ts';
import type { Refusals } from './refusals.ts';
import type { ServerRequests } from './server_requests.ts';
import type { GuardParts } from './settings.ts';
import type { Subscriptions } from './subscriptions.ts';
import type { Task, Tasks } from './tasks.ts';

/**
 * How a message comes through an entry of the SDK that looks at it before the guard does, and may
 * answer it by itself.
 */
export interface Entrance {
  /** The guard was given the message. */
  arrived: boolean;
  /** The entry would object to the call, so that it is decided on and not made. */
  readonly objected: boolean;
  /** The caller may know of what is called, and so of the objection. */
  known: boolean;
}

export interface Gate {
  readonly parts: GuardParts;
  readonly line: ServerLine;
  readonly watch: PolicyWatch;
  readonly entrance: Entrance | undefined;
  readonly subscriptions: Subscriptions;
  readonly tasks: Tasks;
  readonly refusals: Refusals;
  /** Who the connection belongs to: nobody before its first message. */
  readonly principal: string;
  /** What the client was asked. */
  readonly asked: ServerRequests;
  /** What the server has of a kind; rejects where it cannot be asked. */
  catalogue(kind: Kind, exchange: Exchange): Promise<Snapshot>;
  /** Forgets what it has of a kind, because it was seen to differ. */
  forget(kind: Kind): void;
  /** What the server offers, so that a change of policy is told of it. */
  offer(kinds: readonly Kind[]): void;
  /** Gives the request to the server; undefined = cancelled, and nobody waits for an answer. */
  forward(
    exchange: Exchange,
    params: JsonObject | undefined,
    decision?: EvaluationResponse,
  ): Promise<ServerAnswer | undefined>;
  /** A call became a task, whose progress is heard of as that of the call. */
  follow(exchange: Exchange, task: Task): void;
  /** A refusal in the shape that belongs to the method. */
  refuse(exchange: Exchange, refusal: Omit<Refusal, 'request_id'>, id?: string): object;
  /** Tells the decision point what was done; a failure is logged and changes nothing. */
  report(answer: EvaluationResponse, done: Omit<OutcomeReport, 'evaluation_id'>): void;
}

/** Yields the message for the client; undefined = none, because nobody waits for it. */
export type Handler = (gate: Gate, exchange: Exchange) => Promise<object | undefined>;

/** Who asks; undefined where nobody is proved. */
export function askerOf({ arrival }: Pick<Exchange, 'arrival'>): Asker | undefined {
  const { trusted, request, claims, extra } = arrival;
  return trusted && { trusted, request, claims, extra };
}

/** Before a policy is active nothing is answered (ruling R18). */
export function notReady(gate: Gate, exchange: Exchange): object {
  return gate.refuse(exchange, { reason_code: 'POLICY_UNAVAILABLE' });
}
