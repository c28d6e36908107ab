/** Tar archives written by hand, also such as no honest tool writes, and how they are read. */
import { gzipSync } from 'node:zlib';
import {
  readFiles as readFilesWithin,
  unpack as unpackWithin,
  type BundleFiles,
  type BundleLimits,
} from '../../src/bundle/files.ts';
import { DEFAULTS } from './defaults.ts';

export interface Entry {
  name: string | Uint8Array;
  /** Type flag; a file where it is absent. */
  type?: string;
  bytes?: string | Uint8Array;
  /** Size as the header states it, where it lies. */
  size?: number;
  prefix?: string;
  link?: string;
}

const BLOCK = 512;

export function tarOf(...entries: Entry[]): Buffer {
  return Buffer.concat([...entries.flatMap(entryOf), Buffer.alloc(2 * BLOCK)]);
}

export function tgzOf(...entries: Entry[]): Buffer {
  return gzipSync(tarOf(...entries));
}

function entryOf({ name, type = '0', bytes = '', size, prefix = '', link = '' }: Entry): Buffer[] {
  const body = Buffer.from(bytes);
  const header = Buffer.alloc(BLOCK);
  header.set(Buffer.from(name), 0);
  for (const at of [100, 108, 116]) header.write('0000644', at);
  header.write(`${(size ?? body.length).toString(8).padStart(11, '0')}\0`, 124);
  header.write('00000000000', 136);
  header.write(type, 156);
  header.write(link, 157);
  header.write('ustar', 257);
  header.write('00', 263);
  header.write(prefix, 345);
  header.fill(' ', 148, 156);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return [header, body, Buffer.alloc(-body.length & (BLOCK - 1))];
}

/** A record of an extended header; its length counts itself. */
export function paxRecord(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  let length = Buffer.byteLength(rest) + 1;
  while (Buffer.byteLength(`${length}${rest}`) !== length) {
    length = Buffer.byteLength(`${length}${rest}`);
  }
  return `${length}${rest}`;
}

/** As `readFiles` and `unpack` of the bundle format, within the limits that hold by default. */
export function readFiles(path: string, limits: BundleLimits = LIMITS): Promise<BundleFiles> {
  return readFilesWithin(path, limits);
}

export function unpack(archive: Uint8Array, limits: BundleLimits = LIMITS): BundleFiles {
  return unpackWithin(archive, limits);
}

export const LIMITS: BundleLimits = DEFAULTS.policy;
