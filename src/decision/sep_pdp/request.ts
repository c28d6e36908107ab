/** A question of ours in the words of the SEP's decision profile: the inverse of sep.ts. */
import type { SepDecisionRequest } from '../../contract/types.gen.ts';
import { VALIDATORS } from '../../contract/validate.ts';
import { members } from '../request.ts';
import { SEP_ACTIONS } from '../../contract/sep_actions.ts';
import type { PolicyInput } from '../types.ts';

/** Looked up by whatever the input holds, which need not be a text. */
const WORDS: ReadonlyMap<unknown, Readonly<Record<string, string>>> = new Map(
  Object.entries(SEP_ACTIONS),
);

/** Methods that do what another one does, which has a word of its own (ruling R16). */
const LIKE: ReadonlyMap<unknown, string> = new Map([
  ['resources/unsubscribe', 'resources/subscribe'],
  ['subscriptions/listen', 'resources/subscribe'],
]);

/** The word for what a method does to things of a type; undefined where the draft has none. */
export function actionOf(type: unknown, method: unknown): string | undefined {
  const meant = LIKE.get(method) ?? method;
  return Object.entries(wordsOf(type)).find(([, named]) => named === meant)?.[0];
}

/**
 * What a list asks for each item, one after the other, until it is shown: what somebody does with
 * a thing of that type first of all, and whether it is listed. None where the draft has no words.
 */
export function listActionsOf(type: unknown): string[] {
  const [use, ...others] = Object.keys(wordsOf(type));
  if (use === undefined) return [];
  return [use, ...others.filter((word) => word === 'list')];
}

function wordsOf(type: unknown): Readonly<Record<string, string>> {
  return WORDS.get(type) ?? {};
}

/**
 * The request; the draft names no server. Undefined where what is asked cannot be said in it. An
 * actor type stands in the input only where it was proved, and an approval never does.
 */
export function sepRequestOf(input: PolicyInput, action: string): SepDecisionRequest | undefined {
  const { id: principal, properties } = members(input.subject);
  const { actor_type, groups, tenant } = members(properties);
  const { type, id: name } = members(input.resource);
  const context = members(input.context);
  const { deployment, risk } = members(context.environment);
  const request = {
    subject: { principal, actor_type, groups, tenant },
    capability: { type, name },
    action,
    arguments: context.arguments ?? {},
    environment: { deployment, risk },
  };
  const result = VALIDATORS.sep_decision_request(request);
  return result.ok ? result.value : undefined;
}
