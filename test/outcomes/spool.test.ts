/** The spool: what was kept comes back in its order, whatever happened to the process. */
import { describe, expect, test } from '@jest/globals';
import { codeOf } from '../support/decisions.ts';
import type { FakeDisk } from '../support/fake_disk.ts';
import { DIRECTORY, newDisk, open, overwrite, readAll, reportOf, textOf } from './fixture.ts';

const FIRST = '0000000000000001.spool';
const DAMAGED = { id: expect.any(String), cause: 'damaged' };

/** A spool that a killed process left, with so many reports. */
async function left(files: FakeDisk, reports: number): Promise<void> {
  const spool = await open(files);
  await Promise.all(
    Array.from({ length: reports }, (_, i) => spool.keep({ report: reportOf(i + 1) })),
  );
  files.restart('kill');
}

test('what was kept comes back in its order, and what was acknowledged does not', async () => {
  const files = newDisk();
  await left(files, 25);
  const spool = await open(files);
  expect(spool.waiting).toBe(25);
  const batch = await spool.next(10);
  expect(batch?.kept).toHaveLength(10);
  spool.acknowledge(batch!);
  await spool.close();
  files.restart('power_loss');
  const again = await open(files);
  expect(await readAll(again)).toEqual(Array.from({ length: 15 }, (_, i) => `e-${i + 11}`));
  expect(again.waiting).toBe(0);
  await again.close();
  files.restart('power_loss');
  expect(await readAll(await open(files))).toEqual([]);
});

test('what was written is there though the process was killed before any flush', async () => {
  const files = newDisk();
  const spool = await open(files);
  spool.keep({ report: reportOf(1) }).catch(() => undefined);
  files.restart('kill');
  expect(await readAll(await open(files))).toEqual(['e-1']);
});

test('what was durable is there after a loss of power', async () => {
  for (let seed = 0; seed < 50; seed += 1) {
    const files = newDisk(seed);
    const spool = await open(files);
    await spool.keep({ report: reportOf(1) });
    spool.keep({ report: reportOf(2) }).catch(() => undefined);
    files.restart('power_loss');
    const read = await readAll(await open(files));
    expect({ seed, read: read[0] }).toEqual({ seed, read: 'e-1' });
    expect([['e-1'], ['e-1', 'e-2'], ['e-1', { ...DAMAGED, count: 1 }]]).toContainEqual(read);
  }
});

test('what is not durable is not sent', async () => {
  const files = newDisk();
  const spool = await open(files);
  await spool.keep({ report: reportOf(1) });
  files.failAfter(1, 'EIO');
  expect(await codeOf(spool.keep({ report: reportOf(2) }))).toBe('OUTCOMES_UNWRITABLE');
  expect(await readAll(spool)).toEqual(['e-1']);
  expect(spool.waiting).toBe(1);
});

test('a torn end is cut off, and what it may have held is told as missing', async () => {
  const files = newDisk();
  await left(files, 2);
  const text = await textOf(files, FIRST);
  overwrite(files, FIRST, text.slice(0, -5));
  const spool = await open(files);
  expect(spool.dropped_bytes).toBe(text.length - 5 - text.indexOf('\n') - 1);
  await spool.keep({ report: reportOf(3) });
  const expected = ['e-1', { ...DAMAGED, count: 1 }, 'e-3'];
  files.restart('kill');
  expect(await readAll(await open(files))).toEqual(expected);
});

test('a damaged middle takes nothing else along, and is told once as missing', async () => {
  const files = newDisk();
  await left(files, 5);
  const text = await textOf(files, FIRST);
  overwrite(
    files,
    FIRST,
    text.replace('"e-2"', '"e-9"').replace('}\n', '}x').replace('e-4', 'e-0'),
  );
  // However often it is read before it is recorded, it is the same.
  const first = await (await open(files)).next(10);
  files.restart('kill');
  const spool = await open(files);
  expect(await spool.next(10)).toEqual(first);
  expect(await readAll(spool)).toEqual([
    { ...DAMAGED, count: 2 },
    'e-3',
    { ...DAMAGED, count: 1 },
    'e-5',
  ]);
});

test('a gap that a failed flush left in front of what is kept next takes none of it', async () => {
  // Of some length the line ends with a sector, which the disk keeps now and then.
  for (let seed = 0; seed < 8 * 64; seed += 1) {
    const files = newDisk(seed);
    const before = await open(files);
    await before.keep({ report: reportOf(1) });
    // Written, but by no flush: a killed process leaves it to be read, a loss of power does not.
    files.failAfter(1, 'EIO');
    const lost = reportOf(2, { evaluation_id: 'x'.repeat(1 + (seed % 64)) });
    expect(await codeOf(before.keep({ report: lost }))).toBe('OUTCOMES_UNWRITABLE');
    files.restart('kill');
    const after = await open(files);
    await after.keep({ report: reportOf(3) });
    files.restart('power_loss');
    expect(await readAll(await open(files))).toContain('e-3');
  }
});

test('a file that is gone is told as missing', async () => {
  const files = newDisk();
  const spool = await open(files);
  for (let i = 1; i <= 200; i += 1) await spool.keep({ report: reportOf(i) });
  const names = files.names(DIRECTORY);
  expect(names.length).toBeGreaterThan(3);
  const [, second = '', third = ''] = names.sort();
  files.remove(`${DIRECTORY}/${second}`);
  files.restart('kill');
  const read = await readAll(await open(files));
  const gone = Number.parseInt(third) - Number.parseInt(second);
  expect(read.filter((each) => typeof each !== 'string')).toEqual([{ ...DAMAGED, count: gone }]);
  expect(read).toHaveLength(200 - gone + 1);
});

test('a report of a megabyte is kept and read back', async () => {
  const files = newDisk();
  const masked = Array.from({ length: 1024 }, (_, i) => `/${String(i).padEnd(1000, 'x')}`);
  const spool = await open(files, 4_194_304);
  await spool.keep({ report: reportOf(1, { masked }) });
  await spool.keep({ report: reportOf(2) });
  files.restart('kill');
  const again = await open(files, 4_194_304);
  expect((await again.next(10))?.kept).toEqual([{ report: reportOf(1, { masked }) }]);
  expect(await readAll(again)).toEqual(['e-1', 'e-2']);
});

test('what was recorded is forgotten, so that the folder stays small', async () => {
  const files = newDisk();
  const spool = await open(files);
  for (let i = 1; i <= 2000; i += 1) {
    await spool.keep({ report: reportOf(i) });
    if (i % 7 === 0) spool.acknowledge((await spool.next(5))!);
    if (i % 50 === 0) await readAll(spool);
  }
  await readAll(spool);
  expect(spool.size_bytes).toBe(0);
  expect(files.names(DIRECTORY)).toHaveLength(1);
  expect(await textOf(files, files.names(DIRECTORY)[0] ?? '')).toBe('');
  await spool.keep({ report: reportOf(3000) });
  await spool.keep({ report: reportOf(3001) });
  files.restart('kill');
  expect(await readAll(await open(files))).toEqual(['e-3000', 'e-3001']);
});

test('beyond its limit it keeps nothing, but says what is missing', async () => {
  const files = newDisk();
  const spool = await open(files);
  let kept = 0;
  while (
    (await codeOf(Promise.resolve().then(() => spool.keep({ report: reportOf(1) })))) === 'no error'
  )
    kept += 1;
  expect(spool.size_bytes).toBeLessThanOrEqual(65_536);
  expect(spool.size_bytes).toBeGreaterThan(65_000);
  expect(spool.problem).toBeUndefined();
  await spool.keep({ unreported: { id: 'x', count: 1, cause: 'full' } });
  expect(await readAll(spool)).toHaveLength(kept + 1);
  await spool.keep({ report: reportOf(2) });
  expect(await readAll(spool)).toEqual(['e-2']);
});

test('a second writer of the same folder is refused', async () => {
  const files = newDisk();
  const spool = await open(files);
  expect(await codeOf(open(files))).toBe('EVIDENCE_LOCKED');
  await spool.close();
  await open(files);
});

test('nothing that was recorded is sent again after a restart', async () => {
  for (let reports = 1; reports < 200; reports += 1) {
    const files = newDisk();
    const spool = await open(files);
    await Promise.all(
      Array.from({ length: reports }, (_, i) => spool.keep({ report: reportOf(i) })),
    );
    expect(await readAll(spool)).toHaveLength(reports);
    await spool.close();
    files.restart('kill');
    const again = await open(files);
    expect(again.waiting).toBe(0);
    await again.keep({ report: reportOf(1000) });
    files.restart('kill');
    expect(await readAll(await open(files))).toEqual(['e-1000']);
  }
});

test('what becomes durable while it is read is not taken for missing', async () => {
  const files = newDisk();
  const spool = await open(files);
  const read: unknown[] = [];
  for (let round = 0; round < 100; round += 1) {
    for (let i = 0; i < 20; i += 1) void spool.keep({ report: reportOf(round * 20 + i) });
    const batch = await spool.next(1000);
    read.push(...(batch?.kept ?? []));
    if (batch) spool.acknowledge(batch);
  }
  expect(read.filter((kept) => 'unreported' in (kept as object))).toEqual([]);
  expect(read.length).toBeGreaterThan(1000);
});

describe('a disk that fails', () => {
  test('rejects what was to be kept, and keeps nothing more until it is opened anew', async () => {
    const files = newDisk();
    const spool = await open(files);
    await spool.keep({ report: reportOf(1) });
    files.failAfter(1, 'EIO');
    expect(await codeOf(spool.keep({ report: reportOf(2) }))).toBe('OUTCOMES_UNWRITABLE');
    expect(spool.problem?.message).toBe(`outcomes cannot be written to \`${DIRECTORY}\` (EIO)`);
    expect(() => spool.keep({ report: reportOf(3) })).toThrow(spool.problem);
    await spool.reopen();
    await spool.keep({ report: reportOf(4) });
    const read = await readAll(spool);
    expect([read[0], read.at(-1)]).toEqual(['e-1', 'e-4']);
    expect(spool.waiting).toBe(0);
  });

  test('takes nothing of what is kept when it works again', async () => {
    const files = newDisk();
    const spool = await open(files);
    for (let i = 1; i <= 3; i += 1) await spool.keep({ report: reportOf(i) });
    expect(await readAll(spool)).toHaveLength(3);
    files.failAfter(0, 'EIO');
    expect(() => spool.keep({ report: reportOf(4) })).toThrow('(EIO)');
    await spool.reopen();
    await readAll(spool);
    await spool.keep({ report: reportOf(5) });
    expect(await readAll(spool)).toEqual(['e-5']);
  });

  test('that is full lets what was recorded be forgotten', async () => {
    const files = newDisk();
    const spool = await open(files);
    for (let i = 1; i <= 100; i += 1) await spool.keep({ report: reportOf(i) });
    files.failAfter(0, 'ENOSPC');
    expect(await codeOf(Promise.resolve().then(() => spool.keep({ report: reportOf(0) })))).toBe(
      'OUTCOMES_UNWRITABLE',
    );
    const read = await readAll(spool);
    expect(read).toHaveLength(100);
    files.restart('kill');
  });
});
