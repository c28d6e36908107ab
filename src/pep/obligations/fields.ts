/**
 * Keeps and masks members of a JSON value. Values are rebuilt, never changed. An array keeps its
 * positions: a removed member leaves null, and only removed members at the end are cut off.
 */
import { keyedDigestOf, type DigestKey } from '../../contract/digest.ts';
import { advance, recordedStep, type PathTree } from './paths.ts';

/** What stands in place of a masked value in mode `replace`. */
const MASKED = '[masked]';

/** From the strictest to the mildest; where several masks meet, the strictest holds. */
export const MASK_MODES = ['remove', 'replace', 'digest'] as const;
export type MaskMode = (typeof MASK_MODES)[number];

export type Keep = PathTree<true>;
export type Masks = PathTree<MaskMode>;

/** Receives the path of each thing that was taken away, in the words of the policy's own paths. */
export type Note = (path: string) => void;

type Container = unknown[] | Record<string, unknown>;

export function isContainer(value: unknown): value is Container {
  return typeof value === 'object' && value !== null;
}

/** Where a walk stands in one keep list: in a kept value, or on the way to some (or to none). */
type Reach = 'inside' | Keep[];

/**
 * What every keep list lets through: values at or below a path of each, and the objects and arrays
 * on the way. The outermost object or array always stays, if empty.
 */
export function keepFields(value: Container, keeps: readonly Keep[], note: Note): unknown {
  const start = keeps.map((keep): Reach => (keep.end ? 'inside' : [keep]));
  return keepAt(value, start, '', note);
}

function keepAt(value: Container, reaches: readonly Reach[], path: string, note: Note): unknown {
  return rebuild(value, (name, member) => {
    const next = reaches.map((reach) => reachOf(reach, name));
    if (next.every((reach) => reach === 'inside')) return member;
    if (isContainer(member) && next.every(leadsOn)) {
      const trees = reaches.flatMap((reach) => (reach === 'inside' ? [] : reach));
      return keepAt(member, next, `${path}/${recordedStep(trees, name)}`, note);
    }
    note(`${path}/*`);
    return undefined;
  });
}

function reachOf(reach: Reach, name: string): Reach {
  if (reach === 'inside') return reach;
  const next = advance(reach, name);
  return next.some((tree) => tree.end) ? 'inside' : next;
}

function leadsOn(reach: Reach): boolean {
  return reach === 'inside' || reach.length > 0;
}

/** The value with every masked member removed, replaced or digested; undefined: nothing is left. */
export function maskFields(
  value: Container,
  masks: Masks,
  key: DigestKey,
  note: Note,
): Container | undefined {
  if (masks.end === undefined) return maskMembers(value, [masks], '', { key, note });
  note('');
  return undefined;
}

interface Masking {
  key: DigestKey;
  note: Note;
}

function maskMembers(
  value: Container,
  trees: readonly Masks[],
  path: string,
  masking: Masking,
): Container {
  return rebuild(value, (name, member) => {
    const next = advance(trees, name);
    if (next.length === 0) return member;
    const at = `${path}/${recordedStep(trees, name)}`;
    const mode = MASK_MODES.find((each) => next.some((tree) => tree.end === each));
    if (mode !== undefined) masking.note(at);
    if (mode === 'remove') return undefined;
    if (mode === 'replace') return MASKED;
    // Members are masked before their parent's digest, which then tells nothing of them.
    const rest = isContainer(member) ? maskMembers(member, next, at, masking) : member;
    return mode === 'digest' ? keyedDigestOf(masking.key, rest) : rest;
  });
}

/** A copy of the members that `visit` gives; undefined removes one. */
function rebuild(value: Container, visit: (name: string, member: unknown) => unknown): Container {
  if (Array.isArray(value)) {
    const members = value.map((member, index) => visit(String(index), member));
    const length = members.findLastIndex((member) => member !== undefined) + 1;
    return members.slice(0, length).map((member) => (member === undefined ? null : member));
  }
  const entries = Object.entries(value).map(([name, member]) => [name, visit(name, member)]);
  return Object.fromEntries(entries.filter(([, member]) => member !== undefined)) as Container;
}
