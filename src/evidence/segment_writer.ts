/** Appends to the last segment and begins the next one when it is full. */
import type { EvidenceFile, EvidenceFiles } from './files.ts';
import { type Recovered, writeFully } from './recovery.ts';
import { type Segment, segmentAt } from './segment.ts';

export class SegmentWriter {
  readonly #files: EvidenceFiles;
  readonly #directory: string;
  readonly #segment_bytes_max: number;
  #segment: Segment;
  #file: EvidenceFile;
  #size_bytes: number;

  constructor(
    files: EvidenceFiles,
    directory: string,
    segment_bytes_max: number,
    { segment, file, size_bytes }: Recovered,
  ) {
    this.#files = files;
    this.#directory = directory;
    this.#segment_bytes_max = segment_bytes_max;
    this.#segment = segment;
    this.#file = file;
    this.#size_bytes = size_bytes;
  }

  /** Path of the segment that is written. */
  get path(): string {
    return this.#segment.path;
  }

  /** Bytes that still fit; begins a segment at `index` where a line of this size does not. */
  async makeRoom(size_bytes: number, index: number): Promise<number> {
    if (this.#size_bytes + size_bytes > this.#segment_bytes_max) await this.end(index);
    return this.#segment_bytes_max - this.#size_bytes;
  }

  /** Ends the segment, unless it is empty; the next one begins at `index`. */
  async end(index: number): Promise<void> {
    if (this.#size_bytes > 0) await this.#begin(segmentAt(this.#directory, index));
  }

  /** Resolves when the bytes are durable. After a rejection nothing may be appended any more. */
  async append(bytes: Uint8Array): Promise<void> {
    writeFully(this.#file, bytes, this.#size_bytes);
    await this.#file.flush();
    this.#size_bytes += bytes.length;
  }

  close(): void {
    this.#file.close();
  }

  async #begin(segment: Segment): Promise<void> {
    const file = this.#files.open(segment.path, 'create');
    this.#file.close();
    this.#segment = segment;
    this.#file = file;
    this.#size_bytes = 0;
    await this.#files.flushDirectory(this.#directory);
  }
}
