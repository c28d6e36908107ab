/**
 * Logs, notes and receipts made without the code under test: the tree is the recursive definition
 * of RFC 6962, keys and signatures are those of node:crypto, and the formats are written by hand.
 */
import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export const sha256 = (...parts: Uint8Array[]): Buffer =>
  parts.reduce((sum, part) => sum.update(part), createHash('sha256')).digest();

export const leafOf = (entry: string): Buffer => sha256(Buffer.of(0), Buffer.from(entry));

function split(count: number): number {
  let left = 1;
  while (left * 2 < count) left *= 2;
  return left;
}

/** MTH of RFC 6962, section 2.1, over leaf hashes. */
export function rootOf(leaves: readonly Buffer[]): Buffer {
  if (leaves.length === 0) return sha256();
  if (leaves.length === 1) return leaves[0] as Buffer;
  const left = split(leaves.length);
  return sha256(Buffer.of(1), rootOf(leaves.slice(0, left)), rootOf(leaves.slice(left)));
}

/** PATH of RFC 6962, section 2.1.1. */
export function inclusionOf(index: number, leaves: readonly Buffer[]): Buffer[] {
  if (leaves.length <= 1) return [];
  const left = split(leaves.length);
  return index < left
    ? [...inclusionOf(index, leaves.slice(0, left)), rootOf(leaves.slice(left))]
    : [...inclusionOf(index - left, leaves.slice(left)), rootOf(leaves.slice(0, left))];
}

/** PROOF of RFC 6962, section 2.1.2. */
export function consistencyOf(old: number, leaves: readonly Buffer[], is_whole = true): Buffer[] {
  if (old === leaves.length) return is_whole ? [] : [rootOf(leaves)];
  const left = split(leaves.length);
  return old <= left
    ? [...consistencyOf(old, leaves.slice(0, left), is_whole), rootOf(leaves.slice(left))]
    : [...consistencyOf(old - left, leaves.slice(left), false), rootOf(leaves.slice(0, left))];
}

export interface Signer {
  name: string;
  vkey: string;
  /** A signature line over a text. */
  sign(text: string): string;
}

/** A key of a log. */
export function logSigner(name: string): Signer {
  return signer(name, 1, (key, text) => sign(null, Buffer.from(text), key));
}

/** A key of a witness that signs at a second. */
export function witnessSigner(name: string, time_s = 1_800_000_000): Signer {
  return signer(name, 4, (key, text) => {
    const time = Buffer.alloc(8);
    time.writeBigUInt64BE(BigInt(time_s));
    const message = `cosignature/v1\ntime ${time_s}\n${text}`;
    return Buffer.concat([time, sign(null, Buffer.from(message), key)]);
  });
}

type PrivateKey = ReturnType<typeof generateKeyPairSync>['privateKey'];

function signer(
  name: string,
  type: number,
  make: (key: PrivateKey, text: string) => Buffer,
): Signer {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const spki = publicKey.export({ format: 'der', type: 'spki' });
  const material = Buffer.concat([Buffer.of(type), spki.subarray(-32)]);
  const id = sha256(Buffer.from(`${name}\n`), material).subarray(0, 4);
  return {
    name,
    vkey: `${name}+${id.toString('hex')}+${material.toString('base64')}`,
    sign: (text) => `— ${name} ${Buffer.concat([id, make(privateKey, text)]).toString('base64')}\n`,
  };
}

/** A record of a decision, as canonical JSON: the members stand in their order. */
export function recordText(index: number, detail = 'made by a test'): string {
  return (
    `{"caller":"guard","constraints":{},"decision":false,` +
    `"detail":${JSON.stringify(detail)},"evaluation_id":"e-${index}",` +
    `"index":${index},"instance":"main","kind":"decision","obligations":[],` +
    `"outcome":"deny","profile":"mcp/1",` +
    `"reason_code":"GRANT_ABSENT","request":{"action":"tools/call","resource":` +
    `{"id":"transfer","server":"payments","type":"tool"},` +
    `"subject":{"id":"user:alice@example.com"}},"rules":[],` +
    `"time":"2026-11-01T10:00:00.000Z","v":1,"visible":true}`
  );
}

/** What discloses the request and the internals of a record. */
export const DISCLOSURES = [
  '["internals","0123456789abcdefghij_-",{"detail":"made by a test","rules":["mcp.rules.a.b"]}]',
  '["request","ABCDEFGHIJ0123456789_-",{"request":{"action":"tools/call","resource":' +
    '{"id":"transfer","server":"payments","type":"tool"},' +
    '"subject":{"id":"user:zo\u00eb@example.com"}}}]',
] as const;

/** The seal of a disclosure, as it stands in the leaf. */
const sealOf = (disclosure: string): string =>
  `sha256:${sha256(Buffer.from(`portcullis seal v1\n${disclosure}`)).toString('hex')}`;

/** The leaf of a record that seals these disclosures, and has further members before its seals. */
export function sealedText(index: number, disclosures: readonly string[], more = ''): string {
  const seals = disclosures.map((text) => `"${JSON.parse(text)[0]}":"${sealOf(text)}"`);
  return (
    `{"caller":"guard","constraints":{},"decision":false,"evaluation_id":"e-${index}",` +
    `"index":${index},"instance":"main","kind":"decision","obligations":[],"outcome":"deny",` +
    `"profile":"mcp/1","reason_code":"GRANT_ABSENT",${more}"seals":{${seals.join(',')}},` +
    `"time":"2026-11-01T10:00:00.000Z","v":1,"visible":true}`
  );
}

export const recordTexts = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => recordText(index));

/** A checkpoint that these sign. */
export function checkpointOf(entries: readonly string[], signers: readonly Signer[]): string {
  return noteOf(bodyOf(entries, signers[0]?.name ?? ''), signers);
}

export function bodyOf(entries: readonly string[], origin: string): string {
  const root = rootOf(entries.map(leafOf)).toString('base64');
  return `${origin}\n${entries.length}\n${root}\n`;
}

export function noteOf(body: string, signers: readonly Signer[]): string {
  return `${body}\n${signers.map(({ sign: signed }) => signed(body)).join('')}`;
}

export interface ReceiptParts {
  index: number;
  record?: string;
  path?: readonly Buffer[];
  checkpoint?: string;
}

/** A receipt for an entry, with what the parts replace. */
export function receiptOf(
  entries: readonly string[],
  signers: readonly Signer[],
  { index, ...parts }: ReceiptParts,
): Buffer {
  const record = parts.record ?? entries[index] ?? '';
  const path = parts.path ?? inclusionOf(index, entries.map(leafOf));
  const lines = [
    'c2sp.org/tlog-proof@v1',
    `extra ${Buffer.from(record).toString('base64')}`,
    `index ${index}`,
    ...path.map((hash) => hash.toString('base64')),
  ];
  return Buffer.from(
    `${lines.join('\n')}\n\n${parts.checkpoint ?? checkpointOf(entries, signers)}`,
  );
}

/** The files of a log (C2SP tlog-tiles) by their paths. */
export function logFiles(
  entries: readonly string[],
  signers: readonly Signer[],
): Map<string, Buffer> {
  const bundles = chunksOf(entries).map(
    (bundle, at) => [tileName('entries', at, bundle.length), bundleOf(bundle)] as const,
  );
  return new Map([
    ['checkpoint', Buffer.from(checkpointOf(entries, signers))],
    ...bundles,
    ...tileFiles(entries.map(leafOf)),
  ]);
}

/** The tiles over leaf hashes by their paths. */
export function tileFiles(leaves: readonly Buffer[]): Map<string, Buffer> {
  const files = new Map<string, Buffer>();
  let nodes = [...leaves];
  for (let level = 0; nodes.length > 0; level += 1) {
    const tiles = chunksOf(nodes);
    for (const [at, tile] of tiles.entries()) {
      files.set(tileName(String(level), at, tile.length), Buffer.concat(tile));
    }
    nodes = tiles.filter(({ length }) => length === 256).map(rootOf);
  }
  return files;
}

/** Writes files below a folder, over those that are there. */
export function writeFiles(folder: string, files: ReadonlyMap<string, Uint8Array>): void {
  for (const [path, bytes] of files) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), bytes);
  }
}

function chunksOf<T>(all: readonly T[]): T[][] {
  return Array.from({ length: Math.ceil(all.length / 256) }, (_, at) =>
    all.slice(at * 256, at * 256 + 256),
  );
}

/** Good for as many tiles as tests make. */
function tileName(level: string, at: number, width: number): string {
  const name = `tile/${level}/${String(at).padStart(3, '0')}`;
  return width === 256 ? name : `${name}.p/${width}`;
}

function bundleOf(entries: readonly string[]): Buffer {
  return Buffer.concat(
    entries.flatMap((entry) => {
      const bytes = Buffer.from(entry);
      const length = Buffer.alloc(2);
      length.writeUInt16BE(bytes.length);
      return [length, bytes];
    }),
  );
}
