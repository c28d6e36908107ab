/** A log that is open, and what it shows. */
import { expect } from '@jest/globals';
import { openNote } from '../../../src/evidence/tree/note.ts';
import type { EvidenceTree, ProvableLog } from '../../../src/evidence/types.ts';
import {
  ENTRY,
  ORIGIN,
  openLog,
  readRecordTexts,
  signerOf,
  temporaryDirectory,
} from '../../support/evidence_log.ts';
import { leafOf } from '../../support/merkle_oracle.ts';

export interface Shown {
  directory: string;
  log: ProvableLog;
  tree: EvidenceTree;
}

/** A log of this many records, the first of them in a checkpoint, the others not. */
export async function shown(signed: number, more = 0): Promise<Shown> {
  const directory = temporaryDirectory();
  const log = await openLog(directory);
  await appendAll(log, signed);
  await log.tree.sign();
  await appendAll(log, more);
  return { directory, log, tree: log.tree };
}

async function appendAll(log: ProvableLog, count: number): Promise<void> {
  await Promise.all(Array.from({ length: count }, () => log.append(ENTRY)));
}

/** The leaves of the records that stand in a directory. */
export function leavesOf(directory: string): Buffer[] {
  return readRecordTexts(directory).map(leafOf);
}

/** Size and root of a checkpoint that the usual key signed. */
export function treeOf(note: string): { size: number; root: string } {
  const opened = openNote(note, [signerOf(1).verifier]);
  const [origin, size, root, end] = ('text' in opened ? opened.text : '').split('\n');
  expect([origin, end]).toEqual([ORIGIN, '']);
  return { size: Number(size), root: root! };
}
