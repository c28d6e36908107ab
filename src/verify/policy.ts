/** Policy files (C2SP tlog-policy): trusted logs and witnesses, and how many must agree. */
import { decodeUtf8 } from './encoding.ts';
import { Refuted } from './fault.ts';
import { COSIGNATURE, ED25519, ML_DSA_44, parseVerifierKey, type VerifierKey } from './key.ts';

export const POLICY_BYTES_MAX = 1_048_576;

const NONE = 'none';

interface Group {
  /** How many members must have cosigned. */
  threshold: number;
  members: readonly string[];
}

export interface Policy {
  /** Empty where the log is known otherwise. */
  logs: readonly VerifierKey[];
  /** By the names of the file. */
  witnesses: ReadonlyMap<string, VerifierKey>;
  groups: ReadonlyMap<string, Group>;
  /** A witness, a group, or `none`. */
  quorum: string;
}

/** Where nobody asks for witnesses. */
export const NO_WITNESSES: Policy = {
  logs: [],
  witnesses: new Map(),
  groups: new Map(),
  quorum: NONE,
};

/** Whether those who cosigned are enough. */
export function isQuorumMet(policy: Policy, cosigned: ReadonlySet<VerifierKey>): boolean {
  const has = (name: string): boolean => {
    const group = policy.groups.get(name);
    if (group) return group.members.filter(has).length >= group.threshold;
    const witness = policy.witnesses.get(name);
    return witness !== undefined && cosigned.has(witness);
  };
  return policy.quorum === NONE || has(policy.quorum);
}

/** What the lines before have defined. */
interface Draft {
  logs: VerifierKey[];
  witnesses: Map<string, VerifierKey>;
  groups: Map<string, Group>;
  members: Set<string>;
  quorum: string | undefined;
}

type Line = (draft: Draft, words: readonly string[]) => boolean;

/** Each returns whether its words are what the line demands. */
const LINES: Readonly<Record<string, Line>> = {
  log: readLog,
  witness: readWitness,
  group: readGroup,
  quorum: readQuorum,
};

/** Reads a policy. Throws `POLICY_MALFORMED` with the number of the line. */
export function parsePolicy(bytes: Uint8Array): Policy {
  if (bytes.length > POLICY_BYTES_MAX) throw malformed('it is too large');
  // Octets stand for themselves: names are compared as they are written.
  const text = Buffer.from(bytes).toString('latin1');
  if (/[^\t\n\x20-\x7e\x80-\xff]/.test(text)) throw malformed('it holds a control character');
  if (!text.endsWith('\n')) throw malformed('its last line does not end');
  const draft: Draft = {
    logs: [],
    witnesses: new Map(),
    groups: new Map(),
    members: new Set(),
    quorum: undefined,
  };
  for (const [at, line] of text.split('\n').entries()) {
    if (!readLine(draft, line)) throw malformed(`line ${at + 1} is wrong`);
  }
  const { logs, witnesses, groups, quorum } = draft;
  if (quorum === undefined) throw malformed('it has no quorum');
  return { logs, witnesses, groups, quorum };
}

function readLine(draft: Draft, line: string): boolean {
  const [keyword = '', ...words] = line.split(/[ \t]+/).filter((word) => word !== '');
  if (keyword === '' || keyword.startsWith('#')) return true;
  return Object.hasOwn(LINES, keyword) && (LINES[keyword] as Line)(draft, words);
}

function readLog(draft: Draft, words: readonly string[]): boolean {
  const key = readKey(words[0], [ED25519, ML_DSA_44]);
  if (words.length > 2 || !key || draft.logs.some((each) => isSameKey(each, key))) return false;
  draft.logs.push(key);
  return true;
}

function readWitness(draft: Draft, [name, ...words]: readonly string[]): boolean {
  const key = readKey(words[0], [COSIGNATURE, ML_DSA_44]);
  const known = [...draft.witnesses.values()];
  if (words.length > 2 || !key || known.some((each) => isSameKey(each, key))) return false;
  if (name === undefined || !isFree(draft, name)) return false;
  draft.witnesses.set(name, key);
  return true;
}

function readGroup(draft: Draft, [name, count, ...members]: readonly string[]): boolean {
  const threshold = readThreshold(count, members.length);
  if (name === undefined || !isFree(draft, name) || threshold === undefined) return false;
  for (const member of members) {
    if (!isDefined(draft, member) || draft.members.has(member)) return false;
    draft.members.add(member);
  }
  draft.groups.set(name, { threshold, members });
  return true;
}

function readQuorum(draft: Draft, [name, ...more]: readonly string[]): boolean {
  if (name === undefined || more.length > 0 || draft.quorum !== undefined) return false;
  if (name !== NONE && !isDefined(draft, name)) return false;
  draft.quorum = name;
  return true;
}

function readThreshold(word: string | undefined, members: number): number | undefined {
  if (members === 0) return undefined;
  if (word === 'any') return 1;
  if (word === 'all') return members;
  const count = /^[1-9]\d{0,8}$/.test(word ?? '') ? Number(word) : 0;
  return count >= 1 && count <= members ? count : undefined;
}

function readKey(word: string | undefined, types: readonly number[]): VerifierKey | undefined {
  const text = decodeUtf8(Buffer.from(word ?? '', 'latin1'));
  try {
    return text === undefined ? undefined : parseVerifierKey(text, types);
  } catch {
    return undefined;
  }
}

/** Under whatever name: one key must not count twice. */
function isSameKey(a: VerifierKey, b: VerifierKey): boolean {
  return a.material.equals(b.material);
}

function isDefined({ witnesses, groups }: Draft, name: string): boolean {
  return witnesses.has(name) || groups.has(name);
}

function isFree(draft: Draft, name: string): boolean {
  return name !== NONE && !isDefined(draft, name);
}

function malformed(why: string): Refuted {
  return new Refuted('POLICY_MALFORMED', `the policy file cannot be used: ${why}`);
}
