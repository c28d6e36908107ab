/**
 * How far an export has come, in a file of its own: the index of the next record, the hash of the
 * record before it, and what was left out on the way. It advances only after the receiver has
 * acknowledged, so that a crash makes duplicates and no gaps. The hash shows a log that is not the
 * one that was exported, though it has the same name.
 */
import { join } from 'node:path';
import { systemReason } from '../../contract/system_reason.ts';
import { PortcullisError } from '../../errors.ts';
import type { EvidenceFiles } from '../files.ts';
import { readWhole, replaceFile } from '../tree/whole_file.ts';
import type { Gap, RecordSource } from './types.ts';

/** More are told as one that reaches further. */
const GAPS_MAX = 1000;
const CURSOR_BYTES_MAX = 1_048_576;

interface State {
  v: 1;
  origin: string;
  next: number;
  /** Hash of the record before, as hexadecimal digits; null where there is none. */
  leaf: string | null;
  gaps: Gap[];
}

export class Cursor {
  readonly #files: EvidenceFiles;
  readonly #directory: string;
  readonly #name: string;
  #state: State;

  constructor(files: EvidenceFiles, directory: string, name: string, state: State) {
    this.#files = files;
    this.#directory = directory;
    this.#name = name;
    this.#state = state;
  }

  /** Index of the first record that the receiver has not acknowledged, as it stands on disk. */
  get next(): number {
    return this.#state.next;
  }

  get gaps(): readonly Gap[] {
    return this.#state.gaps;
  }

  /** Resolves when the new place is durable. Rejects with the errors of `node:fs`. */
  async advance(next: number, leaf: Uint8Array, gap?: Gap): Promise<void> {
    const gaps = gap ? addGap(this.#state.gaps, gap) : this.#state.gaps;
    const state = { ...this.#state, next, leaf: Buffer.from(leaf).toString('hex'), gaps };
    await replaceFile(this.#files, this.#directory, this.#name, `${JSON.stringify(state)}\n`);
    this.#state = state;
  }
}

/**
 * The cursor of an export, at the beginning where there is none yet. Rejects with
 * `EXPORT_UNUSABLE` where it is damaged or does not fit the log.
 */
export async function openCursor(
  files: EvidenceFiles,
  directory: string,
  name: string,
  source: RecordSource,
): Promise<Cursor> {
  const file = `${name}.json`;
  const path = join(directory, file);
  try {
    await files.createDirectory(directory);
    const text = await readWhole(files, path, CURSOR_BYTES_MAX);
    const state = text === undefined ? atBeginning(source) : parseState(text);
    if (!state) throw unusable(name, `its place in \`${path}\` is not what was written`);
    await requireFit(state, source, (fault) => unusable(name, `its place in \`${path}\` ${fault}`));
    return new Cursor(files, directory, file, state);
  } catch (cause) {
    if (cause instanceof PortcullisError && cause.code === 'EXPORT_UNUSABLE') throw cause;
    const reason = cause instanceof PortcullisError ? cause.message : systemReason(cause);
    throw unusable(name, `its place in \`${path}\` cannot be read: ${reason}`, cause);
  }
}

function atBeginning({ origin }: RecordSource): State {
  return { v: 1, origin, next: 0, leaf: null, gaps: [] };
}

async function requireFit(
  { origin, next, leaf }: State,
  source: RecordSource,
  fault: (what: string) => PortcullisError,
): Promise<void> {
  if (origin !== source.origin) throw fault('is one in another log');
  const size = source.size();
  if (next > size) throw fault(`is behind record ${next}, and the log has ${size}`);
  for await (const found of source.read(Math.max(0, next - 1), next)) {
    if (found.leaf.toString('hex') === leaf) return;
    throw fault(`is behind another record ${next - 1} than the one in the log`);
  }
}

function unusable(name: string, fault: string, cause?: unknown): PortcullisError {
  const message = `the export \`${name}\` cannot go on: ${fault}`;
  return new PortcullisError('EXPORT_UNUSABLE', message, { cause });
}

function addGap(gaps: readonly Gap[], gap: Gap): Gap[] {
  const last = gaps.at(-1);
  const isNext = last?.last === gap.first - 1 && last.reason === gap.reason;
  if (!last || (!isNext && gaps.length < GAPS_MAX)) return [...gaps, gap];
  const joined = { ...gap, first: last.first, records: last.records + gap.records };
  return [...gaps.slice(0, -1), joined];
}

function parseState(text: string): State | undefined {
  try {
    const state = JSON.parse(text) as State;
    return isState(state) ? state : undefined;
  } catch {
    return undefined;
  }
}

/** What was written stands behind a record: before the first there is no file yet. */
function isState({ v, origin, next, leaf, gaps }: State): boolean {
  return (
    v === 1 &&
    typeof origin === 'string' &&
    isCount(next) &&
    next > 0 &&
    /^[0-9a-f]{64}$/.test(String(leaf)) &&
    Array.isArray(gaps) &&
    gaps.every(isGap)
  );
}

function isGap({ first, last, records, reason }: Gap): boolean {
  return [first, last, records].every(isCount) && first <= last && typeof reason === 'string';
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
