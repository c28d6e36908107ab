/** A start proves that the records are those that were signed, or says what is wrong and where. */
import { existsSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import {
  openLog,
  readRecordTexts,
  signerOf,
  temporaryDirectory,
} from '../../support/evidence_log.ts';
import { leafOf } from '../../support/merkle_oracle.ts';
import {
  ALL,
  RECORDS,
  REPAIRED,
  appendMany,
  contents,
  copy,
  edit,
  expectDamage,
  forge,
  namesOf,
  placeOf,
  rootIn,
  rootOfRecords,
  start,
} from './fixture.ts';

describe('a log as it was left', () => {
  test.each([
    ['from its tiles', {}],
    ['from all of its records', ALL],
  ])('is proved %s, and nothing of it is written', async (_how, changes) => {
    const directory = copy();
    const before = contents(directory);
    expect(await start(directory, changes)).toEqual([]);
    expect(contents(directory)).toEqual(before);
  });

  test('is proved without reading what tiles cover', async () => {
    const directory = copy();
    // Far before the last full tile, in a segment of which only the last line is looked at.
    edit(directory, 20, (lines, line) => {
      lines[line] = forge(lines[line]!, '"one"', '"two"');
    });
    expect(await start(directory)).toEqual([]);
    await expectDamage(directory, /record 20 is the first that is not in its tile$/, ALL);
  });

  test('goes on with the same tree', async () => {
    const directory = copy();
    for (const [size, changes] of [
      [900, {}],
      [1100, ALL],
      [1101, {}],
    ] as const) {
      const log = await openLog(directory, changes);
      await appendMany(log, size - log.tree.size);
      await log.close();
      expect(rootIn(directory)).toBe(`${size} ${rootOfRecords(directory)}`);
    }
    expect(readdirSync(join(directory, 'tile/0')).sort()).toEqual(['000', '001', '002', '003']);
  });
});

describe('what somebody did to the records is named', () => {
  const AFTER = 560;
  const AFTER_TILES =
    /: one of the records from 512 on was changed, or a record was changed together with its tile$/;

  test('a record that was changed, by its line', async () => {
    const directory = copy();
    const path = edit(directory, AFTER, (lines, line) => {
      lines[line] = lines[line]!.replace('"one"', '"two"');
    });
    const { line } = placeOf(directory, AFTER);
    await expectDamage(directory, `line ${line + 1} of \`${path}\` is not what was written`);
  });

  test.each([
    ['by its place in the tree', 300, /record 300 is the first that is not in its tile$/],
    ['by the part that has no tile yet', 560, AFTER_TILES],
  ])('a record that was changed together with its hash, %s', async (_how, index, message) => {
    const directory = copy();
    edit(directory, index, (lines, line) => {
      lines[line] = forge(lines[line]!, '"one"', '"two"');
    });
    await expectDamage(directory, message, ALL);
  });

  test('a record that was changed together with hash and tile, by what it may be', async () => {
    const directory = copy();
    forgeWithTile(directory, 300);
    await expectDamage(directory, AFTER_TILES, ALL);
  });

  test.each([
    [200, /: one of the records from 0 on was changed$/],
    [512, /: a record was changed together with its tile$/],
  ])('a record that was changed in a log of %d, by where it can stand', async (size, message) => {
    const directory = temporaryDirectory();
    const log = await openLog(directory);
    await appendMany(log, size);
    await log.close();
    forgeWithTile(directory, 100);
    await expectDamage(directory, message, ALL);
  });

  /** Changes a record, the hash in its line, and the one in its tile where that is full. */
  function forgeWithTile(directory: string, index: number): void {
    edit(directory, index, (lines, line) => {
      lines[line] = forge(lines[line]!, '"one"', '"two"');
    });
    const path = join(directory, `tile/0/00${Math.floor(index / 256)}`);
    if (!existsSync(path)) return;
    const hashes = readFileSync(path);
    hashes.set(leafOf(readRecordTexts(directory)[index]!), (index % 256) * 32);
    writeFileSync(path, hashes);
  }

  test.each([300, 560])('record %d that was dropped', async (index) => {
    const directory = copy();
    const { path, line } = placeOf(directory, index);
    edit(directory, index, (lines) => lines.splice(line, 1));
    await expectDamage(directory, `line ${line + 1} of \`${path}\` is not what was written`, ALL);
  });

  test('a record that was dropped, with all that follow numbered anew', async () => {
    const directory = copy();
    const { path } = placeOf(directory, RECORDS - 1);
    const first = Number(/(\d+)\.log$/.exec(path)![1]);
    edit(directory, RECORDS - 1, (lines) => {
      lines.splice(2, 1);
      for (const [at, line] of lines.entries()) {
        lines[at] = forge(line, /"index":\d+/, `"index":${first + at}`);
      }
    });
    await expectDamage(
      directory,
      `record ${RECORDS - 1} is not at the end of \`${path}\`: it was cut off or changed, ` +
        `for the checkpoint covers ${RECORDS} records`,
    );
  });

  test('two records that were exchanged, as they are and numbered anew', async () => {
    const directory = copy();
    const path = edit(directory, AFTER, (lines, line) => {
      lines[line] = forge(lines[line]!, '"one"', '"two"');
    });
    edit(directory, AFTER, (lines, line) => {
      lines.splice(line, 2, lines[line + 1]!, lines[line]!);
    });
    const { line } = placeOf(directory, AFTER);
    await expectDamage(directory, `line ${line + 1} of \`${path}\` is not what was written`);
    edit(directory, AFTER, (lines, at) => {
      for (const more of [0, 1]) {
        const number = `"index":${AFTER + more}`;
        lines[at + more] = forge(lines[at + more]!, /"index":\d+/, number);
      }
    });
    await expectDamage(directory, AFTER_TILES);
  });

  test.each([
    ['a line', (directory: string) => edit(directory, RECORDS - 1, (lines) => lines.pop())],
    ['part of a line', (directory: string) => cut(directory, -10)],
    ['a line feed', (directory: string) => cut(directory, -1)],
  ])('%s cut off at the end, which is no torn end', async (_what, change) => {
    const directory = copy();
    change(directory);
    const { path } = placeOf(directory, RECORDS - 1);
    await expectDamage(
      directory,
      `record ${RECORDS - 1} is not at the end of \`${path}\`: it was cut off or changed, ` +
        `for the checkpoint covers ${RECORDS} records`,
    );
  });

  function cut(directory: string, end: number): void {
    const { path } = placeOf(directory, RECORDS - 1);
    writeFileSync(path, readFileSync(path).subarray(0, end));
  }

  test('the last segment, or all of them, taken away', async () => {
    const directory = copy();
    rmSync(placeOf(directory, RECORDS - 1).path);
    await expectDamage(directory, /^record \d+ is not at the end of .* covers 600 records$/);
    for (const name of namesOf(directory)) rmSync(join(directory, name));
    await expectDamage(directory, /^record 0 is not at the end of .* covers 600 records$/);
  });

  test('a torn end after what was signed is none of this', async () => {
    const directory = copy();
    const { path } = placeOf(directory, RECORDS - 1);
    writeFileSync(path, `${readFileSync(path, 'utf8')}0123`);
    const [line] = await start(directory);
    expect(line?.message).toBe('a torn end of the evidence log was cut off');
    expect(rootIn(directory)).toBe(`${RECORDS + 1} ${rootOfRecords(directory)}`);
  });
});

describe('a tile that is not what it was is built again, and that is told', () => {
  test.each<[string, number, (path: string) => void]>([
    ['missing', 1, (path) => rmSync(path)],
    ['of another size', 1, (path) => writeFileSync(path, readFileSync(path).subarray(1))],
    ['empty', 1, (path) => writeFileSync(path, '')],
    ['with a byte flipped', 1, (path) => writeFileSync(path, flipped(readFileSync(path)))],
    ['gone with its whole folder', 2, (path) => rmSync(join(path, '../..'), { recursive: true })],
  ])('%s', async (_how, tiles, damage) => {
    const directory = copy();
    const before = contents(directory);
    damage(join(directory, 'tile/0/001'));
    expect(await start(directory)).toEqual([
      { level: 'warn', message: REPAIRED, fields: { directory, tiles } },
    ]);
    expect(contents(directory)).toEqual(before);
    expect(await start(directory, ALL)).toEqual([]);
  });

  test('unless the records are not the signed ones either: then nothing is touched', async () => {
    const directory = copy();
    edit(directory, 300, (lines, line) => {
      lines[line] = forge(lines[line]!, '"one"', '"two"');
    });
    rmSync(join(directory, 'tile/0/000'));
    await expectDamage(directory, /record 300 is the first that is not in its tile$/);
  });
});

function flipped(bytes: Buffer): Buffer {
  const changed = Buffer.from(bytes);
  changed[4000] = changed[4000]! ^ 4;
  return changed;
}

describe('a log from before there were trees', () => {
  async function old(): Promise<string> {
    const directory = copy();
    for (const name of ['keys', 'checkpoint', 'tile']) {
      renameSync(join(directory, name), join(temporaryDirectory(), name));
    }
    return directory;
  }

  test('gets its tree, and its key begins there', async () => {
    const directory = await old();
    const { vkey } = signerOf(1).verifier;
    expect(await start(directory)).toEqual([
      {
        level: 'info',
        message: 'the evidence log is signed by a key of its own',
        fields: { directory, from: RECORDS, keys: [vkey] },
      },
    ]);
    expect(rootIn(directory)).toBe(`${RECORDS} ${rootOfRecords(directory)}`);
    expect(readFileSync(join(directory, 'keys'), 'utf8')).toBe(`${RECORDS} ${vkey}\n`);
    expect(existsSync(join(directory, 'tile/0/001'))).toBe(true);
    expect(await start(directory, ALL)).toEqual([]);
  });

  test('is not taken where a line of it is damaged, wherever that is', async () => {
    const directory = await old();
    edit(directory, 30, (lines, line) => {
      lines[line] = lines[line]!.replace('"one"', '"two"');
    });
    await expectDamage(directory, /^line \d+ of .* is not what was written$/);
  });
});
