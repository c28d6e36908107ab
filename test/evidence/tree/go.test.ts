/**
 * What the log shows, checked by the implementation of the Go checksum database
 * (golang.org/x/mod/sumdb): its notes open, its proofs hold, and its tiles prove the same.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { formatSigner } from '../../../src/evidence/tree/note.ts';
import type { ProvableLog } from '../../../src/evidence/types.ts';
import {
  ENTRY,
  ORIGIN,
  openLog,
  readRecordTexts,
  signerOf,
  temporaryDirectory,
} from '../../support/evidence_log.ts';
import { prerequisite } from '../../support/prerequisite.ts';

const CHECKER = join(temporaryDirectory(), 'checker');
/** A compiler may find its cache empty. */
const BUILD_TIMEOUT_MS = 300_000;

/** Builds the checker, which needs Go and one module. */
function build(): boolean {
  const { status } = spawnSync('go', ['build', '-o', CHECKER, '.'], {
    cwd: join(import.meta.dirname, 'go'),
    timeout: BUILD_TIMEOUT_MS,
  });
  return status === 0;
}

/** All that is handed over; the names are those of the program. */
interface Shown {
  Origin: string;
  Vkey: string;
  PrivateKey: string;
  Older: string;
  Newer: string;
  Records: string[];
  Inclusion: Record<string, string[]>;
  Consistency: string[];
  Tiles: Record<string, string>;
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

async function show(directory: string, log: ProvableLog): Promise<Shown> {
  const { tree } = log;
  const append = async (count: number): Promise<void> => {
    await Promise.all(Array.from({ length: count }, () => log.append(ENTRY)));
  };
  await append(300);
  const older = await tree.sign();
  await append(477);
  const newer = await tree.sign();
  const inclusion: Shown['Inclusion'] = {};
  for (const index of [0, 1, 255, 256, 299, 300, 511, 767, 768, 776]) {
    inclusion[index] = (await tree.inclusionProof(index, 777)).map(base64);
  }
  const tiles: Shown['Tiles'] = {};
  for (const [level, index, width] of [
    [0, 0, 256],
    [0, 1, 256],
    [0, 2, 256],
    [0, 3, 9],
    [1, 0, 3],
  ] as const) {
    const tile = await tree.tile(level, index, width);
    tiles[`${level}/${index}/${width}`] = base64(tile!);
  }
  return {
    Origin: ORIGIN,
    Vkey: signerOf(1).verifier.vkey,
    PrivateKey: formatSigner(ORIGIN, Buffer.alloc(32, 1)),
    Older: older,
    Newer: newer,
    Records: readRecordTexts(directory),
    Inclusion: inclusion,
    Consistency: (await tree.consistencyProof(300, 777)).map(base64),
    Tiles: tiles,
  };
}

prerequisite(
  'Go with golang.org/x/mod',
  build(),
  'put go on PATH and let it load the module',
)('Go', () => {
  let log: ProvableLog;
  let shown: Shown;
  beforeAll(async () => {
    const directory = temporaryDirectory();
    log = await openLog(directory);
    shown = await show(directory, log);
  });
  afterAll(() => log.close());

  function check(changes: Partial<Shown> = {}): string {
    const input = JSON.stringify({ ...shown, ...changes });
    return spawnSync(CHECKER, { input, encoding: 'utf8' }).stdout.trim();
  }

  test('opens each checkpoint, signs it the same, and takes each proof and each tile', () => {
    expect(check()).toBe('ok');
  });

  test('takes no record that was changed, no proof of another, no tile and no key', () => {
    const [first = '', ...others] = shown.Records;
    expect(check({ Records: [`${first} `, ...others] })).toMatch(/invalid/);
    const { Inclusion, Consistency, Tiles } = shown;
    expect(check({ Inclusion: { 1: Inclusion[0]! } })).toMatch(/invalid/);
    expect(check({ Consistency: Consistency.toReversed() })).toMatch(/invalid/);
    const tile = Buffer.from(Tiles['0/1/256']!, 'base64');
    tile[5000] = tile[5000]! ^ 1;
    expect(check({ Tiles: { ...Tiles, '0/1/256': base64(tile) } })).toMatch(
      /otherwise|inconsistent/,
    );
    expect(check({ Vkey: signerOf(2).verifier.vkey })).toMatch(/no verifiable signatures/);
  });
});
