/**
 * Seals: digests in a leaf of groups of members that stand beside it. What stands behind the leaf
 * discloses some of them, each as the canonical JSON `[group, salt, members]` behind a tab; the
 * seal is SHA-256 over a line of its own and that text.
 */
import { hash } from 'node:crypto';
import { canonicalJson } from '../contract/canonical.ts';
import { JSON_LIMITS, parseJson } from '../contract/json.ts';
import type { EvidenceRecord } from '../contract/types.gen.ts';
import { VALIDATORS } from '../contract/validate.ts';
import { Refuted } from './fault.ts';
import { RECORD_BYTES_MAX } from './proof.ts';

/** The members that a group may hold. */
const MEMBERS: Readonly<Record<string, readonly string[]>> = {
  arguments: ['arguments'],
  internals: ['caller_tenants', 'detail', 'erased', 'masked', 'rules', 'subject_tenant'],
  items: ['grounds', 'shown', 'withheld'],
  request: ['approver', 'request'],
};

const DOMAIN = Buffer.from('portcullis seal v1\n');
const TAB = 9;
/** 132 bits in base64url. */
const SALT = /^[A-Za-z0-9_-]{22}$/;

export interface OpenedRecord {
  /** With what is disclosed of it. */
  record: EvidenceRecord;
  /** Groups that are sealed, and not disclosed. */
  sealed: string[];
}

/** The leaf, and the disclosures behind it. */
export function splitDisclosures(bytes: Buffer): { leaf: Buffer; disclosures: Buffer[] } {
  const disclosures: Buffer[] = [];
  let rest = bytes;
  for (let at = rest.lastIndexOf(TAB); at !== -1; at = rest.lastIndexOf(TAB)) {
    disclosures.push(rest.subarray(at + 1));
    rest = rest.subarray(0, at);
  }
  return { leaf: rest, disclosures: disclosures.reverse() };
}

/** Puts back what is disclosed. Throws `DISCLOSURE_MALFORMED` and `DISCLOSURE_FALSE`. */
export function openRecord(leaf: EvidenceRecord, disclosures: readonly Buffer[]): OpenedRecord {
  const record: Record<string, unknown> = { ...leaf };
  const seals: Record<string, string> = { ...leaf.seals };
  let last = '';
  for (const text of disclosures) {
    const { group, members } = readDisclosure(text);
    if (group <= last) throw malformed('its groups are not in their order, each once');
    if (seals[group] !== sealOf(text)) throw new Refuted('DISCLOSURE_FALSE');
    for (const [name, value] of Object.entries(members)) {
      if (!MEMBERS[group]?.includes(name)) throw malformed('a member is not of its group');
      if (Object.hasOwn(leaf, name)) throw malformed('a member stands in the record itself');
      record[name] = value;
    }
    delete seals[group];
    last = group;
  }
  return { record: requireRecord(record), sealed: Object.keys(seals).toSorted() };
}

function readDisclosure(text: Buffer): { group: string; members: object } {
  const parsed = parseJson(text, { ...JSON_LIMITS, size_bytes_max: RECORD_BYTES_MAX });
  if (!parsed.ok) throw malformed('it is not strict JSON');
  if (!Array.isArray(parsed.value) || parsed.value.length !== 3) throw malformed('it has no parts');
  const [group, salt, members] = parsed.value as unknown[];
  if (typeof group !== 'string' || !Object.hasOwn(MEMBERS, group)) {
    throw malformed('it is of no group');
  }
  if (typeof salt !== 'string' || !SALT.test(salt)) throw malformed('it has no salt');
  if (typeof members !== 'object' || members === null || Array.isArray(members)) {
    throw malformed('it has no members');
  }
  if (!Buffer.from(canonicalJson(parsed.value)).equals(text)) {
    throw malformed('it is not in its canonical form');
  }
  return { group, members };
}

/** In hexadecimal, as it stands in the leaf. */
function sealOf(text: Buffer): string {
  return `sha256:${hash('sha256', Buffer.concat([DOMAIN, text]), 'hex')}`;
}

function requireRecord(record: object): EvidenceRecord {
  const judged = VALIDATORS.evidence_record(record);
  if (!judged.ok) throw malformed('with it the record does not fit its schema');
  return judged.value;
}

function malformed(why: string): Refuted {
  return new Refuted('DISCLOSURE_MALFORMED', `what is disclosed is not what a log seals: ${why}`);
}
