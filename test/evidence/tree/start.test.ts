/** A start proves that the log is the one that was signed, or says what is wrong and where. */
import {
  cpSync,
  existsSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { formatSigner, openNote, signNote } from '../../../src/evidence/tree/note.ts';
import {
  ENTRY,
  type LoggedLine,
  ORIGIN,
  openLog,
  readRecordTexts,
  recordingLogger,
  signerOf,
  temporaryDirectory,
} from '../../support/evidence_log.ts';
import { fakeDisk } from '../../support/fake_disk.ts';
import { leafOf, mth } from '../../support/merkle_oracle.ts';
import { seededRandom } from '../../support/seeded_random.ts';

const RECORDS = 600;
const SEGMENT_BYTES = 16 * 1024;
const REPAIRED = 'tiles of the evidence log were built again from its records';
type OpenChanges = Parameters<typeof openLog>[1];

/** A closed log of 600 records in several segments, with two full tiles. */
let closed: string;
beforeAll(async () => {
  closed = temporaryDirectory();
  const log = await openLog(closed, { settings: { segment_bytes_max: SEGMENT_BYTES } });
  await appendMany(log, RECORDS);
  await log.close();
});

async function appendMany(log: Awaited<ReturnType<typeof openLog>>, count: number): Promise<void> {
  for (let done = 0; done < count; done += 100) {
    const size = Math.min(100, count - done);
    await Promise.all(Array.from({ length: size }, () => log.append(ENTRY)));
  }
}

function copy(): string {
  const directory = temporaryDirectory();
  cpSync(closed, directory, { recursive: true });
  return directory;
}

const names = (directory: string): string[] =>
  readdirSync(directory)
    .filter((name) => name.endsWith('.log'))
    .sort();

/** The segment in which a record stands, and its line there. */
function placeOf(directory: string, index: number): { path: string; line: number } {
  const name = names(directory).findLast((each) => Number(each.slice(0, 16)) <= index)!;
  return { path: join(directory, name), line: index - Number(name.slice(0, 16)) };
}

/** Changes the lines of the segment in which a record stands. */
function edit(
  directory: string,
  index: number,
  change: (lines: string[], line: number) => void,
): string {
  const { path, line } = placeOf(directory, index);
  const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1);
  change(lines, line);
  writeFileSync(path, lines.map((each) => `${each}\n`).join(''));
  return path;
}

/** A record as somebody writes it who knows the format: the hash of its line is right. */
function forge(line: string, from: string | RegExp, to: string): string {
  const text = line.slice(65).replace(from, to);
  return leafOf(text).toString('hex') + line[64]! + text;
}

/** Opens and closes a log; returns what it logged beside that it is open. */
async function start(directory: string, changes: OpenChanges = {}): Promise<LoggedLine[]> {
  const lines: LoggedLine[] = [];
  const log = await openLog(directory, { log: recordingLogger(lines), ...changes });
  await log.close();
  return lines.filter(({ message }) => message !== 'the evidence log is open');
}

const ALL = { settings: { prove_all_records: true } };

async function expectDamage(
  directory: string,
  message: string | RegExp,
  changes?: OpenChanges,
): Promise<void> {
  const before = contents(directory);
  await expect(openLog(directory, changes)).rejects.toMatchObject({
    code: 'EVIDENCE_DAMAGED',
    message: typeof message === 'string' ? message : expect.stringMatching(message),
  });
  expect(contents(directory)).toEqual(before);
}

/** All that is evidence in a directory. */
function contents(directory: string): Record<string, string> {
  const files = readdirSync(directory, { recursive: true, withFileTypes: true });
  return Object.fromEntries(
    files
      .filter((file) => file.isFile() && !file.name.startsWith('lock'))
      .map(({ parentPath, name }) => join(parentPath, name))
      .map((path) => [path.slice(directory.length), readFileSync(path, 'latin1')]),
  );
}

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
      lines[line] = forge(lines[line]!, 'engine', 'enginx');
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

function rootIn(directory: string): string {
  const [, size, root] = readFileSync(join(directory, 'checkpoint'), 'utf8').split('\n');
  return `${size} ${root}`;
}

function rootOfRecords(directory: string): string {
  return mth(readRecordTexts(directory).map(leafOf)).toString('base64');
}

describe('what somebody did to the records is named', () => {
  const AFTER = 560;

  test('a record that was changed, by its line', async () => {
    const directory = copy();
    const path = edit(directory, AFTER, (lines, line) => {
      lines[line] = lines[line]!.replace('engine', 'enginx');
    });
    const { line } = placeOf(directory, AFTER);
    await expectDamage(directory, `line ${line + 1} of \`${path}\` is not what was written`);
  });

  test.each([
    ['by its place in the tree', 300, /record 300 is the first that is not in its tile$/],
    ['by the part that has no tile yet', 560, /one of the records from 512 on was changed$/],
  ])('a record that was changed together with its hash, %s', async (_how, index, message) => {
    const directory = copy();
    edit(directory, index, (lines, line) => {
      lines[line] = forge(lines[line]!, 'engine', 'enginx');
    });
    await expectDamage(directory, message, ALL);
  });

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
      lines[line] = forge(lines[line]!, 'engine', 'enginx');
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
    await expectDamage(directory, /one of the records from 512 on was changed$/);
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
    for (const name of names(directory)) rmSync(join(directory, name));
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

  test('unless the records are not those that were signed either: then nothing is touched', async () => {
    const directory = copy();
    edit(directory, 300, (lines, line) => {
      lines[line] = forge(lines[line]!, 'engine', 'enginx');
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

describe('a checkpoint that is not this log’s is refused', () => {
  const at = (directory: string): string => join(directory, 'checkpoint');

  test('of another origin, with both names', async () => {
    const directory = copy();
    const message = `\`${at(directory)}\` is of the log \`${ORIGIN}\`, and evidence.origin is \`x.example\``;
    await expectDamage(directory, message, {
      origin: 'x.example',
      signers: [signerOf(1, 'x.example')],
    });
  });

  test('of another key', async () => {
    const directory = copy();
    const text = readFileSync(at(directory), 'utf8').split('\n\n')[0]!;
    writeFileSync(at(directory), signNote(`${text}\n`, [signerOf(2)]));
    const fault = 'is signed by no key that the file `keys` beside it lists';
    await expectDamage(directory, `\`${at(directory)}\` ${fault}`);
  });

  test('of another log that has the same origin and key', async () => {
    const directory = copy();
    const other = temporaryDirectory();
    const log = await openLog(other, { instance: 'two' });
    await appendMany(log, 550);
    await log.close();
    cpSync(at(other), at(directory));
    await expectDamage(directory, /are not those of the checkpoint over 550: one of the records/);
  });

  test('with its size or root changed', async () => {
    const directory = copy();
    const note = readFileSync(at(directory), 'utf8');
    const fault = `\`${at(directory)}\` is not signed by the key that it names`;
    for (const changed of [note.replace('600', '599'), note.replace(/\n./g, '\nA')]) {
      writeFileSync(at(directory), changed);
      await expect(openLog(directory)).rejects.toMatchObject({ code: 'EVIDENCE_DAMAGED' });
    }
    writeFileSync(at(directory), note.replace('600', '599'));
    await expectDamage(directory, fault);
  });

  test.each([
    ['nothing', ''],
    ['zeros', '\0'.repeat(300)],
    ['half of it', 'evidence.example/tests\n600\n'],
    ['a gigabyte, of which nothing is read', 'x'.repeat(300_000)],
  ])('that holds %s', async (_what, text) => {
    const directory = copy();
    writeFileSync(at(directory), text);
    await expectDamage(directory, `\`${at(directory)}\` is not what was written`);
  });

  test.each([
    ['a line more', `${ORIGIN}\n600\n${'A'.repeat(43)}=\nmore\n`],
    ['a size that is none', `${ORIGIN}\n0600\n${'A'.repeat(43)}=\n`],
    ['a size beyond what is safe', `${ORIGIN}\n9999999999999999\n${'A'.repeat(43)}=\n`],
    ['a root that is too short', `${ORIGIN}\n600\nAAAA\n`],
  ])('that was signed over %s', async (_what, text) => {
    const directory = copy();
    writeFileSync(at(directory), signNote(text, [signerOf(1)]));
    await expectDamage(directory, `\`${at(directory)}\` is not what was written`);
  });

  test('that is missing, where one was signed', async () => {
    const directory = copy();
    rmSync(at(directory));
    const fault = 'is missing, and the log signed one before';
    await expectDamage(directory, `\`${at(directory)}\` ${fault}`);
  });
});

describe('the list of keys', () => {
  const at = (directory: string): string => join(directory, 'keys');

  test('names the key and where it began', async () => {
    const vkey = signerOf(1).verifier.vkey;
    expect(readFileSync(at(copy()), 'utf8')).toBe(`0 ${vkey}\n`);
  });

  test('keeps the old key, and a new one begins with its first checkpoint', async () => {
    const directory = copy();
    const [old, young] = [signerOf(1), signerOf(2)];
    expect(await start(directory, { signers: [young] })).toEqual([
      {
        level: 'warn',
        message: 'the evidence log is signed by a new key from here on',
        fields: { directory, from: RECORDS, keys: [young.verifier.vkey] },
      },
    ]);
    expect(readFileSync(at(directory), 'utf8')).toBe(
      `0 ${old.verifier.vkey}\n${RECORDS} ${young.verifier.vkey}\n`,
    );
    const note = readFileSync(join(directory, 'checkpoint'), 'utf8');
    expect(openNote(note, [young.verifier])).toMatchObject({ text: expect.any(String) });
    expect(openNote(note, [old.verifier])).toEqual({ fault: 'unsigned' });
    expect(await start(directory, { signers: [young] })).toEqual([]);
    expect(await start(directory, { signers: [old] })).toEqual([]);
  });

  test('has two keys that both sign, while readers learn the new one', async () => {
    const directory = copy();
    const signers = [signerOf(1), signerOf(2)];
    await start(directory, { signers });
    const note = readFileSync(join(directory, 'checkpoint'), 'utf8');
    for (const { verifier } of signers) expect(openNote(note, [verifier])).toHaveProperty('text');
  });

  test('is demanded where there is a checkpoint', async () => {
    const directory = copy();
    rmSync(at(directory));
    const fault = 'is missing, and with it what checks the checkpoint';
    await expectDamage(directory, `\`${at(directory)}\` ${fault}`);
  });

  test.each([
    ['nothing', ''],
    ['a line that breaks off', `0 ${signerOf(1).verifier.vkey}`],
    ['no size', `${signerOf(1).verifier.vkey}\n`],
    ['a key that is none', '0 nobody+00000000+AAAA\n'],
    ['a private key', `0 ${formatSigner(ORIGIN, Buffer.alloc(32, 1))}\n`],
    ['keys that go back', `5 ${signerOf(1).verifier.vkey}\n4 ${signerOf(2).verifier.vkey}\n`],
  ])('is refused with %s in it', async (_what, text) => {
    const directory = copy();
    writeFileSync(at(directory), text);
    await expectDamage(directory, `\`${at(directory)}\` is not what was written`);
  });
});

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
    expect(await start(directory)).toMatchObject([{ level: 'info', fields: { from: RECORDS } }]);
    expect(rootIn(directory)).toBe(`${RECORDS} ${rootOfRecords(directory)}`);
    expect(readFileSync(join(directory, 'keys'), 'utf8')).toBe(`${RECORDS} ${vkey}\n`);
    expect(existsSync(join(directory, 'tile/0/001'))).toBe(true);
    expect(await start(directory, ALL)).toEqual([]);
  });

  test('is not taken where a line of it is damaged, wherever that is', async () => {
    const directory = await old();
    edit(directory, 30, (lines, line) => {
      lines[line] = lines[line]!.replace('engine', 'enginx');
    });
    await expectDamage(directory, /^line \d+ of .* is not what was written$/);
  });
});

test('a first start that was killed before it signed is gone on with', async () => {
  const quiet = fakeDisk(seededRandom(1));
  await openLog('/evidence', { files: quiet });
  for (let skip = 0; skip < quiet.changes; skip += 1) {
    const disk = fakeDisk(seededRandom(skip));
    disk.failAfter(skip, 'power_loss');
    await expect(openLog('/evidence', { files: disk })).rejects.toMatchObject({
      code: 'EVIDENCE_UNWRITABLE',
    });
    disk.restart('power_loss');
    const log = await openLog('/evidence', { files: disk });
    expect({ skip, size: log.tree.size }).toEqual({ skip, size: 0 });
    await log.close();
  }
});
