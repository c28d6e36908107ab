/** The file of lines: its size, what is moved, cut or torn, and disks that fail. */
import {
  existsSync,
  readFileSync,
  renameSync,
  statSync,
  truncateSync,
  writeFileSync,
  appendFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { jsonLines, type JsonLinesParts } from '../../../../src/evidence/exports/jsonl/driver.ts';
import type { ExportDriver } from '../../../../src/evidence/exports/types.ts';
import { type EvidenceFiles, nodeFiles } from '../../../../src/evidence/files.ts';
import { temporaryDirectory } from '../../../support/evidence_log.ts';
import { fakeDisk, FAULTS } from '../../../support/fake_disk.ts';
import { seededRandom } from '../../../support/seeded_random.ts';

const NEVER = new AbortController().signal;
const opened: ExportDriver[] = [];
afterEach(async () => {
  for (const driver of opened.splice(0)) await driver.close();
});

async function openFile(parts: Partial<JsonLinesParts> = {}) {
  const path = join(temporaryDirectory(), 'evidence.jsonl');
  const settings = { files: nodeFiles, path, file_bytes_max: 1_000_000, files_max: 3, ...parts };
  const driver = await jsonLines(settings);
  opened.push(driver);
  const write = (...texts: string[]) => driver.deliver(texts, NEVER);
  return { path: settings.path, driver, write };
}

const textOf = (path: string): string => readFileSync(path, 'utf8');

test('a file is for its owner only', async () => {
  const { path, write } = await openFile();
  await write('1');
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test('a batch that is written is taken, all of it', async () => {
  const { write } = await openFile();
  expect(await write('1', '2')).toEqual({ outcome: 'taken', rejected_records: 0 });
});

test.each([
  ['and no more', 6],
  ['and more', 4],
])('a full file %s is followed by another, the oldest written over', async (_, file_bytes_max) => {
  const { path, write } = await openFile({ file_bytes_max });
  for (const text of ['1a', '1b', '2a', '2b', '3a', '3b', '4a']) await write(text);
  expect(textOf(path)).toBe('4a\n');
  expect(textOf(`${path}.1`)).toBe('3a\n3b\n');
  expect(textOf(`${path}.2`)).toBe('2a\n2b\n');
  expect(existsSync(`${path}.3`)).toBe(false);
});

test('a number that a crash left free is taken', async () => {
  const { path, write } = await openFile({ file_bytes_max: 1 });
  await write('1');
  await write('2');
  renameSync(`${path}.1`, `${path}.2`);
  await write('3');
  expect([path, `${path}.1`, `${path}.2`].map(textOf)).toEqual(['3\n', '2\n', '1\n']);
});

test('a file that was moved is left alone, and one in its place is begun', async () => {
  const { path, write } = await openFile();
  await write('1');
  renameSync(path, `${path}.moved`);
  await write('2');
  expect(textOf(`${path}.moved`)).toBe('1\n');
  expect(textOf(path)).toBe('2\n');
});

test('a file that was moved displaces none of the older ones', async () => {
  const { path, write } = await openFile({ file_bytes_max: 1 });
  for (const text of ['1', '2', '3']) await write(text);
  renameSync(path, `${path}.moved`);
  await write('4');
  expect([path, `${path}.1`, `${path}.2`].map(textOf)).toEqual(['4\n', '2\n', '1\n']);
});

test('a file that was emptied goes on from its beginning', async () => {
  const { path, write } = await openFile();
  await write('1');
  truncateSync(path, 0);
  await write('2');
  expect(textOf(path)).toBe('2\n');
});

test('a line that was torn by a crash is cut off, wherever it begins', async () => {
  const { path, write } = await openFile();
  await write('1');
  appendFileSync(path, 'x'.repeat(200_000));
  await write('2');
  expect(textOf(path)).toBe('1\n2\n');
  writeFileSync(path, 'x'.repeat(200_000));
  await write('3');
  expect(textOf(path)).toBe('3\n');
});

// The file is read backwards in parts of 65,536 bytes.
test.each([65_534, 65_535, 65_536])(
  'a torn line of %d bytes takes no line before it along',
  async (torn_bytes) => {
    const { path, write } = await openFile();
    await write('1a', '1b');
    appendFileSync(path, 'x'.repeat(torn_bytes));
    await write('2a');
    expect(textOf(path)).toBe('1a\n1b\n2a\n');
  },
);

/** The disk of this machine, which tells what is open and how much of a file was asked for. */
function watchedFiles() {
  const seen = { open: 0, asked_bytes_max: 0, flush: (): Promise<void> => Promise.resolve() };
  const files: EvidenceFiles = {
    ...nodeFiles,
    open(path, use) {
      const file = nodeFiles.open(path, use);
      seen.open += 1;
      return {
        ...file,
        read(into, position) {
          seen.asked_bytes_max = Math.max(seen.asked_bytes_max, into.length);
          return file.read(into, position);
        },
        flush: () => seen.flush(),
        close() {
          seen.open -= 1;
          file.close();
        },
      };
    },
  };
  return { seen, files };
}

test('no file stays open, whether it was written or its disk fails', async () => {
  const { seen, files } = watchedFiles();
  const { write } = await openFile({ files, file_bytes_max: 1 });
  await write('1');
  expect(seen.open).toBe(0);
  seen.flush = () => Promise.reject(new Error('told to'));
  await expect(write('2')).rejects.toThrow('told to');
  expect(seen.open).toBe(0);
});

test('of a large file a small part is held at a time, however long its torn line is', async () => {
  const { seen, files } = watchedFiles();
  const { path, write } = await openFile({ files });
  writeFileSync(path, `${'1'.repeat(300_000)}\n${'x'.repeat(200_000)}`, { mode: 0o600 });
  await write('2');
  expect(textOf(path)).toBe(`${'1'.repeat(300_000)}\n2\n`);
  expect(seen.asked_bytes_max).toBe(65_536);
});

test('a file has one writer', async () => {
  const { path, driver } = await openFile();
  await expect(openFile({ path })).rejects.toMatchObject({ code: 'EVIDENCE_LOCKED' });
  await driver.close();
  opened.length = 0;
  const again = await openFile({ path });
  await again.write('{}');
  expect(readFileSync(path, 'utf8')).toBe('{}\n');
});

describe.each(FAULTS)('on a disk with %s', (fault) => {
  const SEEDS = Number(process.env.SEEDS ?? 40);

  test('each line that counts as taken is there, whole', async () => {
    for (let seed = 1; seed <= SEEDS; seed += 1) {
      const random = seededRandom(seed);
      const disk = fakeDisk(random);
      const parts = { files: disk, path: '/out/lines', file_bytes_max: 200, files_max: 50 };
      const taken: string[] = [];
      disk.failAfter(random.below(40), fault);
      try {
        const driver = await jsonLines(parts);
        for (let batch = 0; batch < 12; batch += 1) {
          const texts = [`{"batch":${batch}}`, `{"more":"${'x'.repeat(random.below(90))}"}`];
          await driver.deliver(texts, NEVER).then(
            () => taken.push(...texts),
            () => undefined,
          );
        }
      } catch {
        // Told to.
      }
      disk.restart(fault === 'kill' ? 'kill' : 'power_loss');
      const found = await linesOf(disk);
      expect(taken.filter((text) => !found.includes(text))).toEqual([]);
    }
  });
});

async function linesOf(disk: ReturnType<typeof fakeDisk>): Promise<string[]> {
  const texts: string[] = [];
  for (const name of disk.names('/out')) {
    const file = disk.open(join('/out', name), 'read');
    const bytes = Buffer.alloc(file.size_bytes());
    await file.read(bytes, 0);
    texts.push(bytes.toString('utf8'));
  }
  return texts.flatMap((text) => text.split('\n'));
}
