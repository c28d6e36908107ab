/**
 * Writes all records to a file, one a line. Each batch is flushed before it counts as taken. The
 * file is opened anew for each batch, by its name, so that it may be moved or emptied at any time
 * (as logrotate does) without a signal.
 */
import { basename, dirname } from 'node:path';
import type { EvidenceFile, EvidenceFiles } from '../../files.ts';
import { writeFully } from '../../recovery.ts';
import { readExactly } from '../../segment.ts';
import { openThere } from '../../tree/whole_file.ts';
import type { Delivery, ExportDriver } from '../types.ts';
import { jsonLine } from './event.ts';

export interface JsonLinesParts {
  files: EvidenceFiles;
  /** Absolute path of the file that is written; older ones are `<path>.1`, `<path>.2` and so on. */
  path: string;
  /** A file that has reached so much is followed by another. */
  file_bytes_max: number;
  /** Files that are kept, the one that is written among them. */
  files_max: number;
}

const LINE_FEED = 10;
const WINDOW_BYTES = 65_536;

/** Rejects with `EVIDENCE_LOCKED` where another process writes the file. */
export async function jsonLines(parts: JsonLinesParts): Promise<ExportDriver> {
  const { files, path } = parts;
  await files.createDirectory(dirname(path));
  const lock = `${path}.lock`;
  await files.createDirectory(lock);
  const unlock = files.lock(lock);
  return {
    format: jsonLine,
    deliver: (texts) => append(parts, texts),
    close: async () => unlock(),
  };
}

async function append(parts: JsonLinesParts, texts: readonly string[]): Promise<Delivery> {
  const { files, path } = parts;
  const folder = dirname(path);
  if (isFull(parts)) rotate(parts);
  const found = openThere(files, path, 'write');
  const file = found ?? files.open(path, 'create');
  try {
    const end = await endOfLines(file);
    if (end < file.size_bytes()) file.truncate(end);
    writeFully(file, Buffer.from(`${texts.join('\n')}\n`), end);
    await file.flush();
  } finally {
    file.close();
  }
  // Also for one that was made before a flush of the folder that failed, or moved there.
  await files.flushDirectory(folder);
  return { outcome: 'taken', rejected_records: 0 };
}

function isFull({ files, path, file_bytes_max }: JsonLinesParts): boolean {
  const file = openThere(files, path, 'read');
  if (!file) return false;
  try {
    return file.size_bytes() >= file_bytes_max;
  } finally {
    file.close();
  }
}

/** The oldest is written over. A crash in between leaves a number free, which is taken next. */
function rotate({ files, path, files_max }: JsonLinesParts): void {
  const names = new Set(files.names(dirname(path)));
  for (let number = files_max - 1; number > 0; number -= 1) {
    const from = number === 1 ? path : `${path}.${number - 1}`;
    if (names.has(basename(from))) files.rename(from, `${path}.${number}`);
  }
}

/** Behind the last whole line: what stands there after it was not acknowledged. */
async function endOfLines(file: EvidenceFile): Promise<number> {
  for (let end = file.size_bytes(); end > 0;) {
    const from = Math.max(0, end - WINDOW_BYTES);
    const bytes = await readExactly(file, from, end - from);
    const at = bytes.lastIndexOf(LINE_FEED);
    if (at >= 0) return from + at + 1;
    end = from;
  }
  return 0;
}
