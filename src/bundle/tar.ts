/**
 * Reads and writes tar archives (POSIX.1-1988 ustar, with the `path` record of POSIX.1-2001 pax).
 * Two readers of one archive must see one set of files, so this one knows files and folders only,
 * demands checksums and an end, and refuses what it does not know instead of guessing.
 */

import { PortcullisError } from '../errors.ts';

export interface TarFile {
  /** As written in the archive. */
  name: string;
  bytes: Uint8Array;
}

const BLOCK = 512;
const NAME_BYTES = 100;
const PREFIX_BYTES = 155;
const EQUALS = 0x3d;
const NEWLINE = 0x0a;
const TYPE = { file: '0', old_file: '\0', folder: '5', pax: 'x' } as const;
/** Records that do not change what a file is or holds, beside `path`. */
const PAX_HARMLESS = new Set(['atime', 'ctime', 'gid', 'gname', 'mtime', 'uid', 'uname']);

type Fail = (why: string) => PortcullisError;

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** The files of an archive, in its order. Throws `BUNDLE_INVALID` with the entry's position. */
export function readTar(archive: Uint8Array, files_max: number): TarFile[] {
  const files: TarFile[] = [];
  let at = 0;
  let paxName: string | undefined;
  for (let position = 0; ; position += 1) {
    const fail = (why: string): PortcullisError => fault(why, position);
    if (position >= files_max) throw fail('there are too many entries');
    const header = archive.subarray(at, at + BLOCK);
    if (header.length < BLOCK) throw fail('the archive is cut off');
    if (isZero(header)) return ended(archive, at, files, fail);
    const { type, name, size_bytes } = readHeader(header, fail);
    const start = at + BLOCK;
    const bytes = archive.subarray(start, start + size_bytes);
    if (bytes.length < size_bytes) throw fail('the archive is cut off');
    at = start + Math.ceil(size_bytes / BLOCK) * BLOCK;
    if (type === TYPE.pax) {
      paxName = readPaxName(bytes, fail) ?? paxName;
      continue;
    }
    if (type === TYPE.folder) {
      if (size_bytes > 0) throw fail('a folder has content');
    } else if (type === TYPE.file || type === TYPE.old_file) {
      files.push({ name: paxName ?? name, bytes });
    } else throw fail('an entry is neither a file nor a folder');
    paxName = undefined;
  }
}

/** Two empty blocks end an archive; what follows them is padding. */
function ended(archive: Uint8Array, at: number, files: TarFile[], fail: Fail): TarFile[] {
  const rest = archive.subarray(at);
  if (rest.length < 2 * BLOCK) throw fail('the archive is cut off');
  if (!isZero(rest)) throw fail('something follows the end of the archive');
  return files;
}

function readHeader(
  header: Uint8Array,
  fail: Fail,
): { type: string; name: string; size_bytes: number } {
  const field = (start: number, length: number): string => {
    const bytes = header.subarray(start, start + length);
    const end = bytes.indexOf(0);
    return decodeName(end === -1 ? bytes : bytes.subarray(0, end), fail);
  };
  const octal = (start: number, length: number): number => {
    const text = field(start, length).trim();
    if (!/^[0-7]{1,11}$/.test(text)) throw fail('a number is malformed');
    return Number.parseInt(text, 8);
  };
  if (octal(148, 8) !== checksum(header)) throw fail('a checksum is wrong');
  const type = String.fromCharCode(header[156] ?? 0);
  const isUstar = field(257, 6) === 'ustar';
  const prefix = isUstar ? field(345, PREFIX_BYTES) : '';
  const name = field(0, NAME_BYTES);
  const size_bytes = octal(124, 12);
  return { type, name: prefix === '' ? name : `${prefix}/${name}`, size_bytes };
}

/** The sum of the header's bytes with its own field taken as blanks. */
function checksum(header: Uint8Array): number {
  let sum = 8 * 32;
  for (let i = 0; i < BLOCK; i += 1) {
    if (i < 148 || i >= 156) sum += header[i] ?? 0;
  }
  return sum;
}

/** Records are `<length> <key>=<value>\n`, where the length counts itself. */
function readPaxName(bytes: Uint8Array, fail: Fail): string | undefined {
  let name: string | undefined;
  for (let at = 0; at < bytes.length;) {
    const length = /^([1-9]\d{0,6}) /.exec(latin1(bytes.subarray(at, at + 8)))?.[1];
    if (length === undefined) throw fail('an extended header is malformed');
    const record = bytes.subarray(at + length.length + 1, at + Number(length));
    const equals = record.indexOf(EQUALS);
    const isWhole = record.at(-1) === NEWLINE && at + Number(length) <= bytes.length;
    if (equals < 1 || !isWhole) throw fail('an extended header is malformed');
    const key = latin1(record.subarray(0, equals));
    if (key === 'path') name = decodeName(record.subarray(equals + 1, -1), fail);
    else if (!PAX_HARMLESS.has(key)) throw fail('an extended header is not known');
    at += Number(length);
  }
  return name;
}

function decodeName(bytes: Uint8Array, fail: Fail): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw fail('a name is not UTF-8');
  }
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}

function isZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0);
}

/** An archive of files in the order given: same files, same bytes. Throws `BUNDLE_INVALID`. */
export function writeTar(files: readonly TarFile[]): Uint8Array {
  const parts = files.flatMap(({ name, bytes }, position) => [
    writeHeader(name, bytes.length, position),
    bytes,
    new Uint8Array(-bytes.length & (BLOCK - 1)),
  ]);
  return Buffer.concat([...parts, new Uint8Array(2 * BLOCK)]);
}

function writeHeader(name: string, size_bytes: number, position: number): Uint8Array {
  const [prefix, last] = splitName(name, position);
  const header = Buffer.alloc(BLOCK);
  const octal = (value: number, at: number, digits: number): void => {
    header.write(`${value.toString(8).padStart(digits, '0')}\0`, at, 'latin1');
  };
  header.write(last, 0, 'utf8');
  octal(0o644, 100, 7);
  octal(0, 108, 7);
  octal(0, 116, 7);
  octal(size_bytes, 124, 11);
  octal(0, 136, 11);
  header.write(TYPE.file, 156, 'latin1');
  header.write('ustar', 257, 'latin1');
  header.write('00', 263, 'latin1');
  header.write(prefix, 345, 'utf8');
  octal(checksum(header), 148, 6);
  header.write(' ', 155, 'latin1');
  return header;
}

/** A long name is split at a slash into prefix and name (POSIX.1-1988, section 10.1.1). */
function splitName(name: string, position: number): [prefix: string, name: string] {
  if (Buffer.byteLength(name) <= NAME_BYTES) return ['', name];
  for (let slash = name.indexOf('/', 1); slash !== -1; slash = name.indexOf('/', slash + 1)) {
    const prefix = name.slice(0, slash);
    const rest = name.slice(slash + 1);
    if (Buffer.byteLength(prefix) > PREFIX_BYTES) break;
    if (rest !== '' && Buffer.byteLength(rest) <= NAME_BYTES) return [prefix, rest];
  }
  throw fault('a name is too long', position);
}

function fault(why: string, position: number): PortcullisError {
  return new PortcullisError('BUNDLE_INVALID', `entry ${position}: ${why}`);
}
