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
import { nodeFiles } from '../../../../src/evidence/files.ts';
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

test('a full file is followed by another, and the oldest is written over', async () => {
  const { path, write } = await openFile({ file_bytes_max: 4 });
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
