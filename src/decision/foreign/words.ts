/** Words of ours and of the SEP in the answer of a server, read strictly. */
import { members, type Members } from '../request.ts';
import { invalidAnswer } from './client.ts';

/** What it says of a decision: codes and sentences as far as they are such. */
export function told({ visible, reason_code, safe_message }: Members): Members {
  return {
    ...(visible !== undefined && { visible }),
    ...(isCode(reason_code) && { reason_code }),
    ...(isSentence(safe_message) && { safe_message }),
  };
}

/** As policy_result.schema.json has them. */
const REASON_CODE = /^[A-Z][A-Z0-9_]{1,63}$/;
const SENTENCE_CHARACTERS_MAX = 1024;

function isCode(value: unknown): value is string {
  return typeof value === 'string' && REASON_CODE.test(value);
}

function isSentence(value: unknown): value is string {
  return typeof value === 'string' && value.length <= SENTENCE_CHARACTERS_MAX;
}

/** The published profiles spell the channel in two ways (ruling R1). */
export function spelt(constraints: unknown): unknown {
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
