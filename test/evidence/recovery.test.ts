import { appendFileSync, cpSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import {
  ENTRY,
  type LoggedLine,
  openLog,
  readAll,
  recordingLogger,
  temporaryDirectory,
} from '../support/evidence_log.ts';

const FIRST = '0000000000000000.log';

/** What a process that was killed leaves: a flush of each of the given sizes, none of it signed. */
async function written(flushes: readonly number[], segment_bytes_max = 64 * 1024): Promise<string> {
  const directory = temporaryDirectory();
  const log = await openLog(directory, { settings: { segment_bytes_max } });
  for (const records of flushes) {
    await Promise.all(Array.from({ length: records }, () => log.append(ENTRY)));
  }
  const left = temporaryDirectory();
  // The journal of the lock is nobody's any more.
  cpSync(directory, left, { recursive: true, filter: (path) => !path.endsWith('-journal') });
  await log.close();
  return left;
}

/** Changes the bytes of a segment. */
function change(directory: string, edit: (text: string) => string, name = FIRST): void {
  const path = join(directory, name);
  writeFileSync(path, edit(readFileSync(path, 'latin1')), 'latin1');
}

async function recovered(directory: string): Promise<{ kinds: string[]; lines: LoggedLine[] }> {
  const lines: LoggedLine[] = [];
  const log = await openLog(directory, { log: recordingLogger(lines) });
  await log.append(ENTRY);
  await log.close();
  return { kinds: (await readAll(directory)).map(({ kind }) => kind), lines };
}

describe('a torn end is cut off and reported', () => {
  test.each<[string, (text: string) => string, number]>([
    ['a line that breaks off', (text) => text.slice(0, -10), 2],
    ['only the line feed missing', (text) => text.slice(0, -1), 2],
    ['part of a new line', (text) => `${text}0123456789`, 3],
    ['zeros after the last line', (text) => text + '\0'.repeat(5000), 3],
    ['zeros in the last line', (text) => `${text.slice(0, -100)}${'\0'.repeat(99)}\n`, 2],
    ['not UTF-8', (text) => `${text}\xff\xfe\n`, 3],
  ])('%s', async (_name, edit, kept) => {
    const directory = await written([1, 2]);
    change(directory, edit);
    const size = readFileSync(join(directory, FIRST)).length;
    const whole = readFileSync(join(directory, FIRST), 'latin1').split('\n').slice(0, kept);
    const bytes_dropped = size - whole.join('\n').length - 1;

    const { kinds, lines } = await recovered(directory);
    const expected = [...Array<string>(kept).fill(ENTRY.kind), 'recovery', ENTRY.kind];
    expect(kinds).toEqual(expected);
    expect((await readAll(directory))[kept]).toMatchObject({ kind: 'recovery', bytes_dropped });
    expect(readFileSync(join(directory, FIRST), 'latin1').split('\n')).toHaveLength(kept + 3);
    expect(lines).toContainEqual({
      level: 'warn',
      message: 'a torn end of the evidence log was cut off',
      fields: { directory, dropped_bytes: bytes_dropped },
    });
  });

  test('a bad line in the last flush takes the rest of that flush along', async () => {
    const directory = await written([2, 3]);
    change(directory, (text) => replaceInLine(text, 3, 'kind', 'kinf'));
    const { kinds } = await recovered(directory);
    expect(kinds).toEqual([ENTRY.kind, ENTRY.kind, ENTRY.kind, 'recovery', ENTRY.kind]);
  });

  test('the second start has nothing more to report', async () => {
    const directory = await written([2]);
    change(directory, (text) => text.slice(0, -1));
    await recovered(directory);
    const { kinds } = await recovered(directory);
    expect(kinds.filter((kind) => kind === 'recovery')).toHaveLength(1);
  });
});

test('a log that was closed is opened as it was', async () => {
  const directory = await written([1, 2]);
  const before = readFileSync(join(directory, FIRST), 'utf8');
  await (await openLog(directory)).close();
  expect(readFileSync(join(directory, FIRST), 'utf8')).toBe(before);
});

test('an empty last segment is gone on with', async () => {
  const directory = await written([1, 1]);
  writeFileSync(join(directory, '0000000000000002.log'), '');
  const { kinds } = await recovered(directory);
  expect(kinds).toEqual([ENTRY.kind, ENTRY.kind, ENTRY.kind]);
});

describe('damage is refused by file and line, and the file left as it is', () => {
  const SECOND = '0000000000000004.log';
  const line = (number: number, name = FIRST) => `line ${number} of \`${name}\``;
  test.each<[string, (directory: string) => void, string]>([
    [
      'a changed record',
      (at) => change(at, (text) => replaceInLine(text, 1, 'one', 'two')),
      line(2),
    ],
    ['a changed hash', (at) => change(at, (text) => `0000${text.slice(4)}`), line(1)],
    ['a removed record', (at) => change(at, (text) => withoutLine(text, 1)), line(2)],
    ['a doubled record', (at) => change(at, (text) => `${text.split('\n')[0]}\n${text}`), line(2)],
    ['an unknown mark', (at) => change(at, (text) => text.replace(' ', '-')), line(1)],
  ])('%s in the last segment', async (_name, damage, place) => {
    const directory = await written([1, 1, 1, 1]);
    damage(directory);
    await expectDamage(directory, place);
  });

  test.each<[string, (directory: string) => void, string]>([
    [
      'the end of an earlier segment cut',
      (at) => change(at, (text) => text.slice(0, -1)),
      'the last line of',
    ],
    ['an earlier segment emptied', (at) => change(at, () => ''), 'the last line of'],
    ['its last record removed', (at) => change(at, (text) => withoutLine(text, 3)), 'record 3'],
    ['the first segment missing', (at) => rmSync(join(at, FIRST)), 'record 0'],
    ['a segment in the middle missing', (at) => rmSync(join(at, SECOND)), 'record 7'],
  ])('%s', async (_name, damage, place) => {
    const directory = await written([4, 4, 4], 1400);
    expect(readdirSync(directory).filter((name) => name.endsWith('.log'))).toHaveLength(3);
    damage(directory);
    await expectDamage(directory, place);
  });

  test('a later flush shows that a bad line was durable once', async () => {
    const directory = await written([3, 1]);
    change(directory, (text) => replaceInLine(text, 1, 'kind', 'kinf'));
    await expectDamage(directory, line(2));
  });
});

test('a record after a missing one is read as damage, in earlier segments too', async () => {
  const directory = await written([4, 4], 1400);
  change(directory, (text) => withoutLine(text, 1));
  await expect(readAll(directory)).rejects.toMatchObject({ code: 'EVIDENCE_DAMAGED' });
});

test('a log that is being written is read up to its last whole record', async () => {
  const directory = await written([1, 1]);
  appendFileSync(join(directory, FIRST), '0123');
  expect(await readAll(directory)).toHaveLength(2);
});

test('other files in the directory do not matter', async () => {
  const directory = await written([1]);
  writeFileSync(join(directory, 'notes.txt'), 'x');
  writeFileSync(join(directory, '1.log'), 'x');
  writeFileSync(join(directory, '0000000000000001.log.bak'), 'x');
  writeFileSync(join(directory, 'old-0000000000000001.log'), 'x');
  expect((await recovered(directory)).kinds).toHaveLength(2);
});

async function expectDamage(directory: string, place: string): Promise<void> {
  const before = contents(directory);
  const where = place.replace('`0', `\`${directory}/0`);
  await expect(openLog(directory)).rejects.toMatchObject({
    code: 'EVIDENCE_DAMAGED',
    message: expect.stringContaining(where),
  });
  await expect(readAll(directory)).rejects.toMatchObject({ code: 'EVIDENCE_DAMAGED' });
  expect(contents(directory)).toEqual(before);
}

function contents(directory: string): Record<string, string> {
  const names = readdirSync(directory).sort();
  return Object.fromEntries(
    names.map((name) => [name, readFileSync(join(directory, name), 'latin1')]),
  );
}

function withoutLine(text: string, at: number): string {
  return text
    .split('\n')
    .filter((_line, index) => index !== at)
    .join('\n');
}

function replaceInLine(text: string, at: number, from: string, to: string): string {
  const lines = text.split('\n');
  lines[at] = lines[at]!.replace(from, to);
  return lines.join('\n');
}
