/** A log so large that the tree over it has tiles of a second level. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from '@jest/globals';
import { formatFlush } from '../../../src/evidence/line.ts';
import { type Checkpoint, signCheckpoint } from '../../../src/evidence/tree/checkpoint.ts';
import { type ProvedLog, proveLog } from '../../../src/evidence/tree/start.ts';
import { TileStore } from '../../../src/evidence/tree/tile_store.ts';
import { ORIGIN, signerOf, temporaryDirectory } from '../../support/evidence_log.ts';
import { leafOf, mth } from '../../support/merkle_oracle.ts';
import { forge } from './fixture.ts';
import { RecordingDisk } from './recording_disk.ts';

const SEGMENT = '0000000000000000.log';
/** A full tile of tiles, a full tile after it, and a part of one. */
const SIZE = 65_536 + 256 + 10;

const directory = temporaryDirectory();
const tiles = new TileStore(new RecordingDisk(directory).files, directory);
let signed: Checkpoint;
let built: ProvedLog;
/** What the first start did to the disk. */
let built_by: string[];

/** What a start makes of the log; tells what it did to the disk. */
async function prove(
  checkpoint: Checkpoint | undefined,
  from_all_records = false,
): Promise<{ proved: ProvedLog; done: string[] }> {
  const { files, done } = new RecordingDisk(directory);
  const store = new TileStore(files, directory);
  const log = { files, directory, tiles: store, checkpoint, size: SIZE, from_all_records };
  return { proved: await proveLog(log), done };
}

beforeAll(async () => {
  const texts = Array.from({ length: SIZE }, (_, index) => `{"by":"one","index":${index},"v":1}`);
  const { bytes, leaves } = formatFlush(texts.map((text) => ({ text, disclosed: [] })));
  writeFileSync(join(directory, SEGMENT), bytes);
  signed = signCheckpoint(ORIGIN, SIZE, mth(leaves), [signerOf(1)]);
  ({ proved: built, done: built_by } = await prove(undefined));
  await tiles.write(built.waiting);
});

test('its tiles are written 64 at a time where it had none, and the last ones wait', () => {
  expect(signed.root.equals(built.tree.root())).toBe(true);
  expect(built_by.filter((done) => done === 'flush tile/0')).toHaveLength(4);
  expect(built.waiting.map(({ level, index }) => [level, index])).toEqual([
    [1, 0],
    [0, 256],
  ]);
});

test('it is proved from two tiles and the records after them', async () => {
  const { proved, done } = await prove(signed);
  expect(done).toEqual(['read tile/0/256', 'read tile/1/000', `read ${SEGMENT}`]);
  expect(proved).toMatchObject({ waiting: [], repaired: 0 });
  expect(signed.root.equals(proved.tree.root())).toBe(true);
});

test('a record in it that was changed with its tile is not named by the tile above', async () => {
  const path = join(directory, SEGMENT);
  const lines = readFileSync(path, 'utf8').split('\n');
  lines[300] = forge(lines[300]!, '"one"', '"two"');
  writeFileSync(path, lines.join('\n'));
  const hashes = (await tiles.read(0, 1))!;
  hashes.set(leafOf(lines[300].slice(65)), 44 * 32);
  await tiles.write([{ level: 0, index: 1, hashes }]);
  await expect(prove(signed, true)).rejects.toMatchObject({
    code: 'EVIDENCE_DAMAGED',
    message:
      `the records in \`${directory}\` are not those of the checkpoint over ${SIZE}: one of the ` +
      'records from 65792 on was changed, or a record was changed together with its tile',
  });
});
