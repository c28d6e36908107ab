/** Uses that were refused, each with its verdict. */
import type { Question } from '../../../src/pep/decide.ts';
import type { Verdict } from '../../../src/pep/judge.ts';
import { ALICE } from './parts.ts';
import { deny } from './scripted.ts';

export const KEY = { id: 'k1', secret: new Uint8Array(32) };

export const REFUSED: Verdict = {
  outcome: 'refuse',
  reason_code: 'CAPABILITY_NOT_ALLOWED',
  answer: deny(),
};

/** A call of the tool of that name. */
export function questionOf(id: string): Question {
  return {
    asker: {
      trusted: ALICE,
      request: { kind: 'request', method: 'tools/call', id: 1, params: {} },
      claims: {},
      extra: undefined,
    },
    method: 'tools/call',
    resource: { type: 'tool', id, properties: { server: 'payments' } },
    arguments: {},
    signal: new AbortController().signal,
  };
}
