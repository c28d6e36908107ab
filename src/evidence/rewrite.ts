/**
 * Segments that were ended, written again with fewer disclosures. The new file is whole and durable
 * before it takes the name of the old one, which whoever reads keeps until it closes it. Leaves,
 * their hashes and their marks stay byte for byte.
 */
import { join } from 'node:path';
import type { EvidenceFile, EvidenceFiles } from './files.ts';
import { formatLine } from './line.ts';
import { writeFully } from './recovery.ts';
import {
  type Segment,
  type StoredRecord,
  damaged,
  readExactly,
  readSegment,
  useFile,
} from './segment.ts';
import { openThere } from './tree/whole_file.ts';

const DRAFT = /^\d{16}\.log\.new$/;
const PIECE_BYTES = 256 * 1024;
const TAB = 9;

/** The disclosures that a record keeps. */
export type Keep = (found: StoredRecord) => readonly string[];

/** Replaces a segment durably: whoever looks, now or after a crash, finds the old or the new. */
export async function rewriteSegment(
  files: EvidenceFiles,
  directory: string,
  segment: Segment,
  keep: Keep,
): Promise<void> {
  const draft = `${segment.path}.new`;
  try {
    await writeDraft(files, segment, draft, keep);
  } catch (error) {
    dropDraft(files, draft);
    throw error;
  }
  files.rename(draft, segment.path);
  await files.flushDirectory(directory);
}

async function writeDraft(
  files: EvidenceFiles,
  segment: Segment,
  draft: string,
  keep: Keep,
): Promise<void> {
  const to = openThere(files, draft, 'write') ?? files.open(draft, 'create');
  try {
    to.truncate(0);
    let position = 0;
    for await (const piece of piecesOf(files, segment, keep)) {
      writeFully(to, piece, position);
      position += piece.length;
    }
    await to.flush();
  } finally {
    to.close();
  }
}

async function* piecesOf(
  files: EvidenceFiles,
  segment: Segment,
  keep: Keep,
): AsyncGenerator<Buffer> {
  const file = files.open(segment.path, 'read');
  try {
    let piece = '';
    for await (const found of readSegment(file, segment)) {
      if ('torn_at_bytes' in found) throw damaged(segment, found.line);
      const kept = { text: found.text, disclosed: keep(found) };
      piece += formatLine(found.leaf.toString('hex'), found.begins_flush, kept);
      if (piece.length < PIECE_BYTES) continue;
      yield Buffer.from(piece);
      piece = '';
    }
    yield Buffer.from(piece);
  } finally {
    file.close();
  }
}

/** What it held is nobody's loss; where the disk does not take that either, a start does it. */
function dropDraft(files: EvidenceFiles, draft: string): void {
  try {
    files.remove(draft);
  } catch {
    // Nothing reads it.
  }
}

/** Removes what a process left that was killed while it wrote a segment again. */
export async function removeDrafts(files: EvidenceFiles, directory: string): Promise<void> {
  const drafts = files.names(directory).filter((name) => DRAFT.test(name));
  if (drafts.length === 0) return;
  for (const name of drafts) files.remove(join(directory, name));
  await files.flushDirectory(directory);
}

/** Whether a segment holds any disclosure: no other byte of a line is a tab. */
export async function holdsDisclosures(files: EvidenceFiles, segment: Segment): Promise<boolean> {
  return useFile(files, segment, holdsTab);
}

async function holdsTab(file: EvidenceFile): Promise<boolean> {
  for (let position = 0; ; position += PIECE_BYTES) {
    const piece = await readExactly(file, position, PIECE_BYTES);
    if (piece.includes(TAB)) return true;
    if (piece.length < PIECE_BYTES) return false;
  }
}
