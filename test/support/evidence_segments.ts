/** Segments of a log written by hand, and a disk that tells what was done with it. */
import { writeFileSync } from 'node:fs';
import { type EvidenceFiles, nodeFiles } from '../../src/evidence/files.ts';
import { formatFlush } from '../../src/evidence/line.ts';
import { type Segment, segmentAt } from '../../src/evidence/segment.ts';

/** Hash, mark and line feed of a line. */
const AROUND_TEXT_BYTES = 66;

/** The line of a record, as long as asked for, that begins a flush. */
export function lineOf(index: number, size_bytes = 128): string {
  const shortest = JSON.stringify({ detail: '', index, kind: 'start', v: 1 });
  const detail = 'x'.repeat(size_bytes - AROUND_TEXT_BYTES - shortest.length);
  const text = JSON.stringify({ detail, index, kind: 'start', v: 1 });
  return formatFlush([{ text, disclosed: [] }]).bytes.toString();
}

/** The lines of `count` records. */
export function linesOf(first: number, count: number, size_bytes?: number): string {
  return Array.from({ length: count }, (_, at) => lineOf(first + at, size_bytes)).join('');
}

export function writeSegment(directory: string, first: number, text: string): Segment {
  const segment = segmentAt(directory, first);
  writeFileSync(segment.path, text);
  return segment;
}

export interface WatchedFiles extends EvidenceFiles {
  /** How often a file was opened, and how many are open. */
  opened: number;
  open_now: number;
  reads: number;
  /** Bytes of each write. */
  writes: number[];
  folder_flushes: number;
}

/** The disk of this machine. */
export function watchedFiles(): WatchedFiles {
  const seen = { opened: 0, open_now: 0, reads: 0, writes: [], folder_flushes: 0 };
  const watched: WatchedFiles = {
    ...nodeFiles,
    ...seen,
    open(path, use) {
      const file = nodeFiles.open(path, use);
      watched.opened += 1;
      watched.open_now += 1;
      return {
        ...file,
        read(into, position) {
          watched.reads += 1;
          return file.read(into, position);
        },
        write(bytes, position) {
          watched.writes.push(bytes.length);
          return file.write(bytes, position);
        },
        close() {
          watched.open_now -= 1;
          file.close();
        },
      };
    },
    flushDirectory(directory) {
      watched.folder_flushes += 1;
      return nodeFiles.flushDirectory(directory);
    },
  };
  return watched;
}
