/**
 * Seals: groups of members that never stand in the leaf of a record, so that they can be shown
 * apart from it and removed without breaking the tree. In the leaf stands the digest of each group;
 * its disclosure, a salt and the members, stands beside the leaf (docs/decisions/0018). The salt
 * belongs to one group of one record: once both are removed, the digest tells nothing, however few
 * values there could have been.
 */
import { hash } from 'node:crypto';
import type { RandomBytes } from '../contract/ambient.ts';
import { eachMember } from '../contract/canonical.ts';
import type { EvidenceRecord } from '../contract/types.gen.ts';

/** The members of each group. Each group costs a record that has it one hash. */
export const SEALS = {
  arguments: ['arguments'],
  internals: ['caller_tenants', 'detail', 'erased', 'masked', 'rules', 'subject_tenant'],
  items: ['grounds', 'shown', 'withheld'],
  request: ['approver', 'request'],
} as const satisfies Record<string, readonly string[]>;

export type SealGroup = keyof typeof SEALS;

export const SEAL_GROUPS = Object.keys(SEALS) as readonly SealGroup[];

/** A record as it is written. */
export interface SealedRecord {
  /** The bytes of the leaf: canonical JSON (RFC 8785). */
  text: string;
  /** In the order of their groups; each is the canonical JSON `[group, salt, members]`. */
  disclosed: readonly string[];
}

type Members = Record<string, unknown>;

const SEALS_MEMBER = 'seals';

const GROUP_OF = new Map<string, SealGroup>(
  SEAL_GROUPS.flatMap((group) => SEALS[group].map((name) => [name, group] as const)),
);

/** Takes the members of each group out of a record, which has a `v`, and leaves their seals. */
export function sealRecord(record: Members & { v: number }, salt: () => string): SealedRecord {
  let before = '';
  let after = '';
  const groups: Partial<Record<SealGroup, string>> = {};
  eachMember(record, (name, text) => {
    const group = GROUP_OF.get(name);
    if (group !== undefined) groups[group] = joined(groups[group] ?? '', text);
    else if (name < SEALS_MEMBER) before = joined(before, text);
    else after = joined(after, text);
  });
  let seals = '';
  const disclosed: string[] = [];
  for (const group of SEAL_GROUPS) {
    const members = groups[group];
    if (members === undefined) continue;
    const disclosure = `["${group}","${salt()}",{${members}}]`;
    seals = joined(seals, `"${group}":"${sealOf(disclosure)}"`);
    disclosed.push(disclosure);
  }
  if (seals !== '') before = joined(before, `"${SEALS_MEMBER}":{${seals}}`);
  return { text: `{${joined(before, after)}}`, disclosed };
}

function joined(members: string, more: string): string {
  return members === '' ? more : `${members},${more}`;
}

/**
 * The record of a leaf and its disclosures; undefined where one is not what the leaf sealed. A
 * group whose disclosure is absent was redacted.
 */
export function openSeals(
  leaf: EvidenceRecord,
  disclosed: readonly string[],
): EvidenceRecord | undefined {
  const sealed: Members = {};
  let last = '';
  for (const disclosure of disclosed) {
    const group = groupOf(disclosure);
    if (group === undefined || group <= last) return undefined;
    if (leaf.seals?.[group] !== sealOf(disclosure)) return undefined;
    Object.assign(sealed, membersOf(disclosure));
    last = group;
  }
  // What anybody can see in the leaf counts, whatever was sealed.
  return { ...sealed, ...leaf };
}

/** The group that a disclosure says it is of. */
export function groupOf(disclosure: string): SealGroup | undefined {
  const name = disclosure.slice(2, disclosure.indexOf('"', 2));
  return SEAL_GROUPS.find((group) => group === name);
}

/** Only who holds the key of the log could seal what is none of its own making. */
function membersOf(disclosure: string): Members {
  const [, , members] = JSON.parse(disclosure) as [SealGroup, string, Members];
  return members;
}

/** The prefix is no text of JSON and begins no node of the tree, so that nothing else hashes so. */
function sealOf(disclosure: string): string {
  return `sha256:${hash('sha256', `portcullis seal v1\n${disclosure}`, 'hex')}`;
}

/** In base64url: 132 bits. */
const SALT_CHARACTERS = 22;
/** 256 salts. */
const POOL_BYTES = 4224;

/** Salts out of a pool, because asking the machine for each would cost more than the hash. */
export function saltsFrom(randomness: RandomBytes): () => string {
  let pool = '';
  let at = 0;
  return () => {
    if (at === pool.length) {
      pool = Buffer.from(randomness(POOL_BYTES)).toString('base64url');
      at = 0;
    }
    at += SALT_CHARACTERS;
    return pool.slice(at - SALT_CHARACTERS, at);
  };
}
