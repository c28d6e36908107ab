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
import type { ExportDriver } from '../types.ts';
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

interface Written {
  /** Where a batch begins of which nobody knows whether it is on the disk; else infinite. */
  sure_to: number;
}

/** Rejects with `EVIDENCE_LOCKED` where another process writes the file. */
export async function jsonLines(parts: JsonLinesParts): Promise<ExportDriver> {
  const { files, path } = parts;
  await files.createDirectory(dirname(path));
  const lock = `${path}.lock`;
  await files.createDirectory(lock);
  const unlock = files.lock(lock);
  const written: Written = { sure_to: Infinity };
  return {
    format: jsonLine,
    async deliver(texts) {
      if (isFull(parts)) {
        await rotate(parts);
        written.sure_to = Infinity;
      }
      await append(parts, texts, written);
      return { outcome: 'taken', rejected_records: 0 };
    },
    close: async () => unlock(),
  };
}

/**
 * Appends behind the last line that is whole and is known to be on the disk: after a flush that
 * failed the kernel holds the pages for clean, so that they must be written again.
 */
async function append(
  { files, path }: JsonLinesParts,
  texts: readonly string[],
  written: Written,
): Promise<void> {
  const file = openThere(files, path, 'write') ?? files.open(path, 'create');
  try {
    const end = Math.min(await endOfLines(file), written.sure_to);
    written.sure_to = end;
    if (end < file.size_bytes()) file.truncate(end);
    writeFully(file, Buffer.from(`${texts.join('\n')}\n`), end);
    await file.flush();
  } finally {
    file.close();
  }
  // Also for a file that was made before a flush of its folder that failed.
  await files.flushDirectory(dirname(path));
  written.sure_to = Infinity;
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

/**
 * The oldest is written over. A crash in between leaves a number free, which is taken next. Each
 * new name is durable before the old one stands for another file, or a power loss could take both.
 */
async function rotate({ files, path, files_max }: JsonLinesParts): Promise<void> {
  const folder = dirname(path);
  const names = new Set(files.names(folder));
  for (let number = files_max - 1; number > 0; number -= 1) {
    const from = number === 1 ? path : `${path}.${number - 1}`;
    if (!names.has(basename(from))) continue;
    files.rename(from, `${path}.${number}`);
    await files.flushDirectory(folder);
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
