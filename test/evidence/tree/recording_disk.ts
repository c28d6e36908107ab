/** The disk of this machine, with a list of what was done to it; it refuses and waits when told. */
import { relative } from 'node:path';
import { type EvidenceFile, type EvidenceFiles, nodeFiles } from '../../../src/evidence/files.ts';

export class RecordingDisk {
  /** What was done, in order, with the path from the directory on. */
  readonly done: string[] = [];
  /** Files that are open. */
  open_files = 0;
  /** Opens that end with an error, as they stand in `done`. */
  readonly refused = new Map<string, string>();
  /** What flushes of files wait for; they do nothing else. */
  gate: Promise<void> = Promise.resolve();
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  readonly files: EvidenceFiles = {
    ...nodeFiles,
    createDirectory: (directory) => {
      this.#did('folder', directory);
      return nodeFiles.createDirectory(directory);
    },
    open: (path, use) => {
      this.#did(use, path);
      const file = nodeFiles.open(path, use);
      this.open_files += 1;
      return this.#file(path, file);
    },
    rename: (from, to) => {
      this.#did('rename', to);
      nodeFiles.rename(from, to);
    },
    flushDirectory: (directory) => {
      this.#did('flush', directory);
      return nodeFiles.flushDirectory(directory);
    },
  };

  #file(path: string, file: EvidenceFile): EvidenceFile {
    return {
      ...file,
      flush: () => {
        this.#did('flush', path);
        return this.gate;
      },
      close: () => {
        this.open_files -= 1;
        file.close();
      },
    };
  }

  #did(what: string, path: string): void {
    const done = `${what} ${relative(this.#directory, path)}`;
    this.done.push(done);
    const code = this.refused.get(done);
    if (code) throw Object.assign(new Error(`${code}: the disk was told to fail`), { code });
  }
}
