/**
 * What stands in a file that its operator may change while it is used. It is looked at again, at
 * most once a second, as it is asked for. While it cannot be read, can be written by others, or is
 * not what it must be, it says so to whoever asks: what was read before may no longer hold.
 */
import { closeSync, openSync, readSync, statSync } from 'node:fs';
import type { Clock } from '../../contract/ambient.ts';
import { readAsTheyChange } from '../../contract/changing_files.ts';
import { jsonFaultText } from '../../contract/fault_text.ts';
import { JSON_LIMITS, parseJson } from '../../contract/json.ts';
import { systemReason } from '../../contract/system_reason.ts';
import { findPathFault } from '../../contract/trusted_path.ts';
import { Unproved } from '../proof.ts';

export interface FileParts<Value> {
  path: string;
  size_bytes_max: number;
  /** Throws `Unproved` with what is wrong, without a value of the file. */
  read: (json: unknown) => Value;
  clock: Clock;
}

/** What was read, or why there is nothing. */
export type Content<Value> = { ok: true; value: Value } | { ok: false; why: string };

export function watchedFile<Value>(parts: FileParts<Value>): () => Content<Value> {
  return readAsTheyChange([parts.path], parts.clock, () => contentOf(parts));
}

function contentOf<Value>({ path, size_bytes_max, read }: FileParts<Value>): Content<Value> {
  try {
    // Whoever reads a pipe waits for its writer.
    if (!statSync(path).isFile()) return { ok: false, why: 'is no file' };
    const fault = findPathFault(path);
    if (fault !== undefined) return { ok: false, why: `is not safe where it is: ${fault}` };
    const bytes = readAtMost(path, size_bytes_max + 1);
    const parsed = parseJson(bytes, { ...JSON_LIMITS, size_bytes_max });
    if (!parsed.ok) return { ok: false, why: `cannot be used: ${jsonFaultText(parsed.fault)}` };
    return { ok: true, value: read(parsed.value) };
  } catch (error) {
    const why = error instanceof Unproved ? error.message : systemReason(error);
    return { ok: false, why: `cannot be used: ${why}` };
  }
}

function readAtMost(path: string, size_bytes: number): Uint8Array {
  const file = openSync(path, 'r');
  try {
    const chunks: Uint8Array[] = [];
    let left = size_bytes;
    for (;;) {
      const chunk = Buffer.alloc(Math.min(left, 65_536));
      const taken = readSync(file, chunk);
      if (taken === 0) return Buffer.concat(chunks);
      chunks.push(chunk.subarray(0, taken));
      left -= taken;
    }
  } finally {
    closeSync(file);
  }
}
