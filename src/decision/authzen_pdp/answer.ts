/**
 * The answer of an AuthZEN decision point as the result of a policy. Words of ours and of the SEP
 * in its context can only tighten a decision, and are read as strictly as the result of a bundle;
 * what else it says is ignored (Authorization API 1.0, section 5.2; rulings R1 and R9).
 */
import { invalidAnswer } from '../foreign/client.ts';
import { requireObject, spelt, told } from '../foreign/words.ts';
import type { Members } from '../request.ts';

/** The raw result of one answer, still to be judged. Throws `BACKEND_ANSWER_INVALID`. */
export function readDecision(answer: unknown): unknown {
  const { decision, context } = requireObject(answer, 'its answer');
  if (typeof decision !== 'boolean') throw invalidAnswer('`decision` is not true or false');
  const said = context === undefined ? {} : requireObject(context, '`context`');
  const outcome = outcomeOf(decision, said);
  if (outcome === 'deny') return { decision: outcome, ...told(said) };
  const { obligations, constraints } = said;
  return {
    decision: outcome,
    ...told(said),
    ...(constraints !== undefined && { constraints: spelt(constraints) }),
    obligations,
  };
}

/** Two words for one decision must agree, or there is none. */
function outcomeOf(decision: boolean, { outcome, require_approval }: Members): unknown {
  if (require_approval !== undefined && typeof require_approval !== 'boolean') {
    throw invalidAnswer('`require_approval` is not true or false');
  }
  if (!decision && outcome === 'allow') throw invalidAnswer('its answer contradicts itself');
  const stated = outcome ?? (decision ? 'allow' : 'deny');
  return require_approval && stated === 'allow' ? 'require_approval' : stated;
}
