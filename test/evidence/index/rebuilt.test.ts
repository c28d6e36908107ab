/** An index that does not fit its log is made anew, whatever became of either. */
import { once } from 'node:events';
import { spawn, type ChildProcess } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from '@jest/globals';
import { formatFlush } from '../../../src/evidence/line.ts';
import { readAll, temporaryDirectory } from '../../support/evidence_log.ts';
import { openIndex, walk, writeDecisions } from './fixture.ts';

/** All that the log holds is found by the index, by a filter that only the index can answer. */
async function expectWhole(directory: string, path = `${directory}.index`): Promise<void> {
  const index = openIndex(directory, path);
  const records = await readAll(directory);
  expect(await walk(index, {})).toEqual(records);
  const filter = { fields: { outcome: ['deny'] } };
  const denied = records.filter(({ outcome }) => outcome === 'deny');
  expect(denied.length).toBeGreaterThan(10);
  expect(await walk(index, { filter, order: 'newest' })).toEqual(denied.toReversed());
  await index.close();
}

async function indexed(count = 400): Promise<string> {
  const directory = await writeDecisions(count);
  await expectWhole(directory);
  return directory;
}

function segmentsOf(directory: string): string[] {
  return readdirSync(directory)
    .filter((name) => name.endsWith('.log'))
    .sort();
}

describe('the index is made anew', () => {
  test('where it is absent', async () => {
    const directory = await indexed();
    rmSync(`${directory}.index`);
    await expectWhole(directory);
  });

  test('where it is no database, or is cut off', async () => {
    const directory = await indexed();
    writeFileSync(`${directory}.index`, 'this is no database at all, and never was one');
    await expectWhole(directory);
    truncateSync(`${directory}.index`, 5000);
    await expectWhole(directory);
  });

  test('where a page of it is overwritten', async () => {
    const directory = await indexed();
    const bytes = readFileSync(`${directory}.index`);
    for (let page = 1; page < bytes.length / 4096; page += 1) {
      const damaged = Buffer.from(bytes);
      damaged.fill(0xa5, page * 4096, page * 4096 + 64);
      writeFileSync(`${directory}.index`, damaged);
      await expectWhole(directory);
    }
  });

  test('where it has another format', async () => {
    const directory = await indexed();
    const database = new DatabaseSync(`${directory}.index`);
    database.exec('DELETE FROM sets; PRAGMA user_version = 999');
    database.close();
    await expectWhole(directory);
  });

  test('where it is of another log', async () => {
    const directory = await indexed();
    const other = await writeDecisions(300, { seed: 2 });
    renameSync(`${directory}.index`, `${other}.index`);
    await expectWhole(other);
  });

  test('where the log is shorter', async () => {
    const directory = await indexed();
    const [segment = ''] = segmentsOf(directory).slice(-1);
    const text = readFileSync(join(directory, segment), 'utf8');
    writeFileSync(join(directory, segment), text.slice(0, text.indexOf('\n') + 1));
    await expectWhole(directory);
  });

  test('where other records stand in the place of those it knew', async () => {
    const directory = await indexed();
    const [segment = ''] = segmentsOf(directory).slice(-1);
    const lines = readFileSync(join(directory, segment), 'utf8').split('\n').slice(0, 2);
    const records = (await readAll(directory)).slice(Number.parseInt(segment, 10) + 2);
    writeFileSync(join(directory, segment), `${lines.join('\n')}\n`);
    for (const { seals: _, ...record } of records) {
      const text = JSON.stringify({ ...record, outcome: 'deny', reason_code: 'OTHER' });
      appendFileSync(join(directory, segment), formatFlush([{ text, disclosed: [] }]).bytes);
    }
    await expectWhole(directory);
  });
});

test('what was taken out of whole segments is forgotten with its terms', async () => {
  const directory = await indexed();
  const [segment = ''] = segmentsOf(directory);
  const [path, file] = [join(directory, segment), `${directory}.index`];
  const sets = (): unknown => {
    const database = new DatabaseSync(file);
    const row = database.prepare('SELECT count(*) AS count FROM sets').get();
    database.close();
    return row?.count;
  };
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
  const redacted = lines.map((line) => `${line.split('\t')[0]}\n`);
  const before = sets() as number;
  writeFileSync(path, redacted.join(''));
  await expectWhole(directory);
  // The traces that only these records named.
  expect(sets()).toBeLessThan(before - lines.length / 4);
});

test('two that catch up at once find all, and so does one beside a writer', async () => {
  const directory = await writeDecisions(3000);
  const both = [openIndex(directory), openIndex(directory)];
  const writing = writeDecisions(2000, { directory });
  await Promise.all(both.map((index) => index.catchUp()));
  await writing;
  await Promise.all(both.map((index) => index.catchUp()));
  expect(both.map(({ size }) => size)).toEqual([5000, 5000]);
  await expectWhole(directory);
});

describe('a process that is killed while it indexes', () => {
  const INDEXER = fileURLToPath(new URL('index_process.ts', import.meta.url));
  const children: ChildProcess[] = [];
  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
  });

  test('leaves an index that goes on', async () => {
    const directory = await writeDecisions(20_000, { segment_bytes_max: 4 * 1024 * 1024 });
    const path = join(temporaryDirectory(), 'index');
    for (let kill = 0; kill < 3; kill += 1) {
      const child = spawn(process.execPath, [INDEXER, directory, path]);
      children.push(child);
      await once(child.stdout, 'data');
      child.kill('SIGKILL');
      await once(child, 'exit');
      expect(existsSync(path)).toBe(true);
    }
    await expectWhole(directory, path);
  });
});

describe('a record of the log', () => {
  const damaged = { code: 'EVIDENCE_DAMAGED' };

  test('that is not what was written is told, before and after it was indexed', async () => {
    const directory = await indexed();
    const [segment = ''] = segmentsOf(directory);
    const path = join(directory, segment);
    const text = readFileSync(path, 'utf8');
    writeFileSync(path, text.replace('"outcome":"allow"', '"outcome":"deny"'));
    await expect(walk(openIndex(directory), {})).rejects.toMatchObject(damaged);
    const fresh = openIndex(directory, join(temporaryDirectory(), 'index'));
    await expect(fresh.catchUp()).rejects.toMatchObject(damaged);
  });

  test('of a gigabyte is refused and not held', async () => {
    const directory = await indexed();
    const [segment = '', following = ''] = segmentsOf(directory);
    expect(following).not.toBe('');
    truncateSync(join(directory, segment), 2 ** 30);
    const before = process.memoryUsage().rss;
    await expect(openIndex(directory).catchUp()).rejects.toMatchObject(damaged);
    expect(process.memoryUsage().rss - before).toBeLessThan(256 * 1024 * 1024);
  }, 60_000);
});
