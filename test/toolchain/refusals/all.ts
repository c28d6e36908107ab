/** All of them, in the order of the checks. */
import { ARGUMENTS } from './arguments.ts';
import { DATA } from './data.ts';
import { EVASIONS } from './evasions.ts';
import { EXPRESSIONS } from './expressions.ts';
import type { Refusal } from './refusal.ts';
import { SHAPE } from './shape.ts';

export const REFUSALS: readonly Refusal[] = [
  ...SHAPE,
  ...ARGUMENTS,
  ...EXPRESSIONS,
  ...EVASIONS,
  ...DATA,
];
