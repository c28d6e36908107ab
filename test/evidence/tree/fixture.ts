/** A log that was signed and closed, and what can be done to it before the next start. */
import { cpSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect } from '@jest/globals';
import type { ProvableLog } from '../../../src/evidence/types.ts';
import {
  ENTRY,
  type LoggedLine,
  openLog,
  readRecordTexts,
  recordingLogger,
  temporaryDirectory,
} from '../../support/evidence_log.ts';
import { leafOf, mth } from '../../support/merkle_oracle.ts';

export const RECORDS = 600;
const SEGMENT_BYTES = 16 * 1024;
export const REPAIRED = 'tiles of the evidence log were built again from its records';
type OpenChanges = Parameters<typeof openLog>[1];

/** A closed log of 600 records in several segments, with two full tiles. */
let closed: string;
beforeAll(async () => {
  closed = temporaryDirectory();
  const log = await openLog(closed, { settings: { segment_bytes_max: SEGMENT_BYTES } });
  await appendMany(log, RECORDS);
  await log.close();
});

export async function appendMany(log: ProvableLog, count: number): Promise<void> {
  for (let done = 0; done < count; done += 100) {
    const size = Math.min(100, count - done);
    await Promise.all(Array.from({ length: size }, () => log.append(ENTRY)));
  }
}

export function copy(): string {
  const directory = temporaryDirectory();
  cpSync(closed, directory, { recursive: true });
  return directory;
}

/** The segments of a directory, in order. */
export const namesOf = (directory: string): string[] =>
  readdirSync(directory)
    .filter((name) => name.endsWith('.log'))
    .sort();

/** The segment in which a record stands, and its line there. */
export function placeOf(directory: string, index: number): { path: string; line: number } {
  const name = namesOf(directory).findLast((each) => Number(each.slice(0, 16)) <= index)!;
  return { path: join(directory, name), line: index - Number(name.slice(0, 16)) };
}

/** Changes the lines of the segment in which a record stands. */
export function edit(
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

/** A record as somebody writes it who knows the format: the hash of its leaf is right. */
export function forge(line: string, from: string | RegExp, to: string): string {
  const [leaf, ...disclosed] = line.slice(65).split('\t');
  const text = leaf!.replace(from, to);
  return [leafOf(text).toString('hex') + line[64]! + text, ...disclosed].join('\t');
}

/** Opens and closes a log; returns what it logged beside that it is open. */
export async function start(directory: string, changes: OpenChanges = {}): Promise<LoggedLine[]> {
  const lines: LoggedLine[] = [];
  const log = await openLog(directory, { log: recordingLogger(lines), ...changes });
  await log.close();
  return lines.filter(({ message }) => message !== 'the evidence log is open');
}

/** A start that reads all records. */
export const ALL = { settings: { prove_all_records: true } };

export async function expectDamage(
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
export function contents(directory: string): Record<string, string> {
  const files = readdirSync(directory, { recursive: true, withFileTypes: true });
  return Object.fromEntries(
    files
      .filter((file) => file.isFile() && !file.name.startsWith('lock'))
      .map(({ parentPath, name }) => join(parentPath, name))
      .map((path) => [path.slice(directory.length), readFileSync(path, 'latin1')]),
  );
}

/** Size and root of the checkpoint of a directory. */
export function rootIn(directory: string): string {
  const [, size, root] = readFileSync(join(directory, 'checkpoint'), 'utf8').split('\n');
  return `${size} ${root}`;
}

/** The root over the records of a directory, by definition. */
export function rootOfRecords(directory: string): string {
  return mth(readRecordTexts(directory).map(leafOf)).toString('base64');
}
