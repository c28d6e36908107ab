/**
 * The files of a bundle, from an archive, a folder or memory. Whatever is not plainly a set of
 * named files within the limits is refused whole: nothing of it is used.
 */
import { hash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { digestOf } from '../contract/digest.ts';
import { systemReason } from '../contract/system_reason.ts';
import { PortcullisError } from '../errors.ts';
import { readTar, writeTar, type TarFile } from './tar.ts';

/** Contents by path, relative and with slashes, such as `policy.wasm`. */
export type BundleFiles = ReadonlyMap<string, Uint8Array>;

export interface BundleLimits {
  /** Largest archive as it lies on disk. */
  archive_bytes_max: number;
  /** Largest sum of what it unpacks to. */
  unpacked_bytes_max: number;
  /** Most entries, folders included. */
  files_max: number;
}

const PATH_BYTES_MAX = 1024;
const GZIP_MAGIC = [0x1f, 0x8b];
const GZIP_OS_BYTE = 9;
const GZIP_OS_UNKNOWN = 255;

/** Reads a bundle archive or folder. Throws `BUNDLE_INVALID`. */
export async function readFiles(path: string, limits: BundleLimits): Promise<BundleFiles> {
  const found = await stat(path).catch((cause: unknown) => {
    throw unreadable(path, cause);
  });
  if (found.isDirectory()) return readFolder(path, limits);
  // Of a pipe or a device nobody knows the size, and reading it may never end.
  if (!found.isFile()) throw invalid(`\`${path}\` is neither a file nor a folder`);
  const bytes = await readBounded(path, limits.archive_bytes_max);
  return unpack(bytes, limits);
}

/** Reads a file of at most so many bytes. Throws `BUNDLE_INVALID`. */
export async function readBounded(path: string, bytes_max: number): Promise<Uint8Array> {
  try {
    const { size } = await stat(path);
    if (size <= bytes_max) return await readFile(path);
  } catch (cause) {
    throw unreadable(path, cause);
  }
  throw invalid(`\`${path}\` is larger than ${bytes_max} bytes`);
}

/** Unpacks a tar.gz. Throws `BUNDLE_INVALID` with the position of the entry at fault. */
export function unpack(archive: Uint8Array, limits: BundleLimits): BundleFiles {
  const files = new Map<string, Uint8Array>();
  for (const [position, { name, bytes }] of readEntries(archive, limits).entries()) {
    const path = bundlePath(name);
    if (path === undefined) throw invalid(`file ${position} has a name that leads elsewhere`);
    if (files.has(path)) throw invalid(`file ${position} repeats \`${path}\``);
    files.set(path, bytes);
  }
  return files;
}

function readEntries(archive: Uint8Array, limits: BundleLimits): TarFile[] {
  let tar: Uint8Array;
  try {
    tar = gunzipSync(archive, { maxOutputLength: limits.unpacked_bytes_max });
  } catch (cause) {
    throw invalid(archiveFault(archive, cause, limits), cause);
  }
  return readTar(tar, limits.files_max);
}

function archiveFault(archive: Uint8Array, cause: unknown, limits: BundleLimits): string {
  const { code } = cause as NodeJS.ErrnoException;
  if (code === 'ERR_BUFFER_TOO_LARGE') {
    return `the archive unpacks to more than ${limits.unpacked_bytes_max} bytes`;
  }
  if (!GZIP_MAGIC.every((byte, i) => archive[i] === byte)) return 'the archive is no gzip';
  return code === 'Z_BUF_ERROR' ? 'the archive is cut off' : 'the archive is damaged';
}

/**
 * The relative path that a name stands for; OPA writes a leading slash, tar often a leading `./`.
 * Undefined where another reader might take it to another place.
 */
function bundlePath(name: string): string | undefined {
  const path = name.replace(/^(\.?\/)/, '');
  if (Buffer.byteLength(path) > PATH_BYTES_MAX || /[\\\p{Cc}]/u.test(path)) return undefined;
  const odd = new Set(['', '.', '..', '__proto__']);
  return path.split('/').some((segment) => odd.has(segment)) ? undefined : path;
}

async function readFolder(folder: string, limits: BundleLimits): Promise<BundleFiles> {
  const files = new Map<string, Uint8Array>();
  let bytes_left = limits.unpacked_bytes_max;
  for (const path of await listFolder(folder, limits.files_max)) {
    const bytes = await readBounded(join(folder, path), bytes_left);
    bytes_left -= bytes.length;
    files.set(path, bytes);
  }
  return files;
}

/** Paths of the files in a folder, sorted; hidden ones, such as an editor's, are not part of it. */
export async function listFolder(folder: string, files_max: number): Promise<string[]> {
  return (await listEntries(folder, files_max)).files;
}

/** The same, with the folders in it, in any order. */
export async function listEntries(
  folder: string,
  files_max: number,
): Promise<{ files: string[]; folders: string[] }> {
  const files: string[] = [];
  const folders: string[] = [];
  const pending = [''];
  for (let base = pending.pop(); base !== undefined; base = pending.pop()) {
    const entries = await readdir(join(folder, base), { withFileTypes: true }).catch(
      (cause: unknown) => {
        throw unreadable(join(folder, base), cause);
      },
    );
    for (const entry of entries) {
      if (entry.name.startsWith('.') && entry.name !== '.manifest') continue;
      const path = bundlePath(base === '' ? entry.name : `${base}/${entry.name}`);
      if (path === undefined) throw invalid(`a name in \`${folder}\` leads elsewhere`);
      if (entry.isDirectory()) {
        folders.push(path);
        pending.push(path);
      } else if (entry.isFile()) files.push(path);
      else throw invalid(`\`${path}\` is neither a file nor a folder`);
      if (files.length + folders.length > files_max) {
        throw invalid(`\`${folder}\` holds more than ${files_max} files`);
      }
    }
  }
  return { files: files.sort(), folders };
}

/**
 * Packs files into a bundle: same files, same bytes, whatever the clock, the user and the order.
 * Names start with a slash, as OPA writes them. Throws `BUNDLE_INVALID` for a name that no bundle
 * can hold.
 */
export function writeBundle(files: BundleFiles): Uint8Array {
  const sorted = [...files].sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [path] of sorted) {
    if (bundlePath(path) !== path) throw invalid(`\`${path}\` cannot be a name in a bundle`);
  }
  const tar = writeTar(sorted.map(([path, bytes]) => ({ name: `/${path}`, bytes })));
  const gzip = gzipSync(tar, { level: 9 });
  gzip[GZIP_OS_BYTE] = GZIP_OS_UNKNOWN;
  return gzip;
}

/** `sha256:<hex>` over the canonical list of paths, each with the SHA-256 of its bytes. */
export function digestOfFiles(files: BundleFiles): string {
  const sorted = [...files].sort(([a], [b]) => (a < b ? -1 : 1));
  return digestOf(sorted.map(([path, bytes]) => [path, hash('sha256', bytes, 'hex')]));
}

export function unreadable(path: string, cause: unknown): PortcullisError {
  return invalid(`cannot read \`${path}\`: ${systemReason(cause)}`, cause);
}

export function invalid(message: string, cause?: unknown): PortcullisError {
  return new PortcullisError('BUNDLE_INVALID', message, { cause });
}
