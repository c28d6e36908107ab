/** Reads a list of obligations into what has to be done to a result. Unknown means no. */
import { OBLIGATION_TYPES, type ObligationType } from '../../contract/obligations.ts';
import type { KeepFields, MaskFields, Obligation, Unstructured } from '../../contract/types.gen.ts';
import { MASK_MODES, type Keep, type MaskMode, type Masks } from './fields.ts';
import { addPath, emptyTree } from './paths.ts';

/** The obligations that this enforcement point can fulfil. */
export const OBLIGATIONS_SUPPORTED: readonly ObligationType[] = [
  'keep_fields',
  'mask_fields',
  'step_up',
];

/** From the strictest to the mildest; of several obligations the strictest holds. */
const UNSTRUCTURED = ['refuse', 'drop', 'redact'] as const satisfies readonly Unstructured[];

/** Merged obligations: the intersection of the keep lists, the union of the masks. */
export interface Plan {
  keeps: Keep[];
  masks: Masks;
  unstructured: Unstructured;
}

export type Planned = { ok: true; plan: Plan | undefined } | { ok: false; reason: string };

/** The plan, undefined where nothing has to be done; none where an obligation is not understood. */
export function planOf(obligations: readonly Obligation[]): Planned {
  const due = obligations.filter(isDue);
  if (due.length === 0) return { ok: true, plan: undefined };
  const plan: Plan = { keeps: [], masks: emptyTree(), unstructured: 'redact' };
  if (due.every((obligation) => addTo(plan, obligation))) return { ok: true, plan };
  return { ok: false, reason: 'an obligation is unsupported or malformed' };
}

/** True where progress, log, elicitation and sampling messages of the call must be withheld. */
export function withholdsStream(obligations: readonly Obligation[]): boolean {
  return obligations.some(isDue);
}

/** A login was strong enough before anything was done, and asks nothing of the result. */
const MET_BEFORE: readonly ObligationType[] = ['step_up'];

/** What is known, not fulfilled here, and not mandatory, the policy lets pass without. */
function isDue({ type, mandatory }: Obligation): boolean {
  if (MET_BEFORE.includes(type)) return false;
  const dispensable = OBLIGATION_TYPES.includes(type) && !OBLIGATIONS_SUPPORTED.includes(type);
  return mandatory !== false || !dispensable;
}

/** False: the obligation is none of the two, or not what its schema says. */
function addTo(plan: Plan, obligation: Obligation): boolean {
  if (obligation.type !== 'keep_fields' && obligation.type !== 'mask_fields') return false;
  if (!Array.isArray(obligation.paths)) return false;
  if (!UNSTRUCTURED.includes(obligation.unstructured)) return false;
  plan.unstructured = strictest(UNSTRUCTURED, plan.unstructured, obligation.unstructured);
  return obligation.type === 'keep_fields' ? addKeep(plan, obligation) : addMask(plan, obligation);
}

function addKeep(plan: Plan, { paths }: KeepFields): boolean {
  const keep: Keep = emptyTree();
  plan.keeps.push(keep);
  return paths.every((path) => addPath(keep, path, true, () => true));
}

function addMask(plan: Plan, { paths, mode }: MaskFields): boolean {
  const merge = (one: MaskMode, other: MaskMode) => strictest(MASK_MODES, one, other);
  return MASK_MODES.includes(mode) && paths.every((path) => addPath(plan.masks, path, mode, merge));
}

function strictest<Word>(order: readonly Word[], ...words: Word[]): Word {
  return order.find((word) => words.includes(word)) as Word;
}
