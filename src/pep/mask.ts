/** Fulfils obligations on a result or an error, whether it is an answer or stands in one. */
import { JSON_LIMITS } from '../contract/json.ts';
import type { Obligation } from '../contract/types.gen.ts';
import type { Answer } from './message.ts';
import {
  applyToError,
  applyToResult,
  type ResultShape,
  type RpcError,
} from './obligations/apply.ts';
import type { GuardParts } from './settings.ts';

export interface Masked {
  body: Answer['body'];
  /** What was taken away, as an outcome report names it. */
  masked: string[];
}

/** Undefined: it cannot be masked, and is withheld. */
export function maskBody(
  { settings, digestKey, log }: GuardParts,
  body: Answer['body'],
  obligations: readonly Obligation[],
  shape: ResultShape,
): Masked | undefined {
  const limits = { ...JSON_LIMITS, size_bytes_max: settings.result_bytes_max };
  const applied =
    'error' in body
      ? applyToError(body.error as RpcError, obligations, digestKey, limits)
      : applyToResult(body.result, obligations, digestKey, limits, shape);
  if (!applied.ok) {
    log.warn('a result was withheld', { reason: applied.reason });
    return undefined;
  }
  const { masked } = applied;
  return {
    body: 'error' in applied ? { error: applied.error } : { result: applied.result },
    masked,
  };
}
