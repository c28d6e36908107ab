/**
 * The answer of an AuthZEN decision point as the result of a policy. Words of ours and of the SEP in
 * its context can only tighten a decision, and are read as strictly as the result of a bundle; what
 * else it says is ignored (Authorization API 1.0, section 5.2; rulings R1 and R9).
 */
import { invalidAnswer } from '../foreign/client.ts';
import { members, type Members } from '../request.ts';

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
    ...(obligations !== undefined && { obligations }),
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

/** What it says of a decision: codes and sentences as far as they are such. */
function told({ visible, reason_code, safe_message }: Members): Members {
  return {
    ...(visible !== undefined && { visible }),
    ...(isCode(reason_code) && { reason_code }),
    ...(isSentence(safe_message) && { safe_message }),
  };
}

/** As policy_result.schema.json has them. */
const REASON_CODE = /^[A-Z][A-Z0-9_]{0,63}$/;
const SENTENCE_CHARACTERS_MAX = 1024;

function isCode(value: unknown): value is string {
  return typeof value === 'string' && REASON_CODE.test(value);
}

function isSentence(value: unknown): value is string {
  return typeof value === 'string' && value.length <= SENTENCE_CHARACTERS_MAX;
}

/** The published profiles spell the channel in two ways (ruling R1). */
function spelt(constraints: unknown): unknown {
  const { approval_via, ...rest } = requireObject(constraints, '`constraints`');
  if (approval_via === undefined) return rest;
  const { require_approval_via = approval_via } = rest;
  if (require_approval_via !== approval_via) throw invalidAnswer('it names two channels');
  return { ...rest, require_approval_via };
}

export function requireObject(value: unknown, what: string): Members {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return members(value);
  throw invalidAnswer(`${what} is no object`);
}
