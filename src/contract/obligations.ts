/** The closed, versioned list of obligations; a PEP that does not know one refuses. */
import type { Obligation } from './types.gen.ts';

export type ObligationType = Obligation['type'];

export const OBLIGATION_TYPES = [
  'keep_fields',
  'mask_fields',
  'redact_patterns',
  'limit_result',
  'set_arguments',
  'cap_arguments',
  'step_up',
  'rate_limit',
  'notify',
  'log',
] as const satisfies readonly ObligationType[];
