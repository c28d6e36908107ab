/** The full tiles of a log on disk, under `tile/` as C2SP tlog-tiles lays them out. */
import { dirname, join } from 'node:path';
import type { EvidenceFiles } from '../files.ts';
import { readExactly } from '../segment.ts';
import { TILE_BYTES, type Tile, tilePath } from './tile.ts';
import { openThere, writeFile } from './whole_file.ts';

export class TileStore {
  readonly #files: EvidenceFiles;
  readonly #directory: string;
  /** Folders that were made or found by this process. */
  readonly #folders = new Set<string>();

  constructor(files: EvidenceFiles, directory: string) {
    this.#files = files;
    this.#directory = directory;
  }

  /** Where a tile stands. */
  pathOf(level: number, index: number): string {
    return join(this.#directory, 'tile', tilePath(level, index));
  }

  /** The hashes of a full tile; undefined where there is none, or not of its size. */
  async read(level: number, index: number): Promise<Buffer | undefined> {
    const file = openThere(this.#files, this.pathOf(level, index), 'read');
    if (!file) return undefined;
    try {
      if (file.size_bytes() !== TILE_BYTES) return undefined;
      const hashes = await readExactly(file, 0, TILE_BYTES);
      return hashes.length === TILE_BYTES ? hashes : undefined;
    } finally {
      file.close();
    }
  }

  /**
   * Makes tiles durable. A crash may leave any part of it: until a checkpoint covers a tile, what
   * stands in its place means nothing and is written again.
   */
  async write(tiles: Iterable<Tile>): Promise<void> {
    const changed = new Set<string>();
    for (const { level, index, hashes } of tiles) {
      const path = this.pathOf(level, index);
      const folder = dirname(path);
      if (!this.#folders.has(folder)) await this.#files.createDirectory(folder);
      this.#folders.add(folder);
      await writeFile(this.#files, path, hashes);
      changed.add(folder);
    }
    for (const folder of changed) await this.#files.flushDirectory(folder);
  }
}
