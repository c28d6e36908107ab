/** Every driver keeps the same promises, whatever its receiver does. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { openScene } from './fixture.ts';
import { WORLDS, type World } from './worlds.ts';

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

test('each folder of a driver is in the suite, and has the files of its siblings', () => {
  const folder = join(import.meta.dirname, '../../../src/evidence/exports');
  const folders = readdirSync(folder, { withFileTypes: true }).filter((at) => at.isDirectory());
  expect(folders.map(({ name }) => name).toSorted()).toEqual(Object.keys(WORLDS).toSorted());
  for (const { name } of folders) {
    expect(readdirSync(join(folder, name)).toSorted()).toEqual(['driver.ts', 'event.ts']);
  }
});

describe.each(Object.entries(WORLDS))('%s', (_name, openWorld) => {
  let world: World;
  beforeEach(async () => {
    world = await openWorld();
  });
  afterEach(() => world.close());

  const indices = (): number[] => world.received().map(({ index }) => index);

  test('each record comes once and in order, with its index and its evaluation id', async () => {
    const scene = await openScene([{ open: world.open }]);
    await scene.append(10);
    await scene.eventually(() => world.received().length === 10);
    const expected = upTo(10).map((index) => ({ index, evaluation_id: `evaluation-${index}` }));
    expect(world.received()).toEqual(expected);
    await scene.close();
    expect(indices()).toEqual(upTo(10));
  });

  test('while the receiver is away records are appended, and it gets them later', async () => {
    const scene = await openScene([{ open: world.open }]);
    await scene.append(3);
    await scene.eventually(() => scene.exports.evidence.status().exports?.[0]?.lag_records === 0);
    await world.away();
    await scene.append(20);
    await scene.eventually(() => scene.waits.some((ms) => ms > 100));
    const [away] = scene.exports.evidence.status().exports!;
    expect(away).toMatchObject({ lag_records: 20, stopped: false, problem: expect.any(String) });
    await world.back();
    await scene.eventually(() => scene.exports.evidence.status().exports?.[0]?.lag_records === 0);
    expect([...new Set(indices())]).toEqual(upTo(23));
    expect(scene.exports.evidence.status().exports![0]).not.toHaveProperty('problem');
  });

  test('what was not taken before a stop is sent after the next start', async () => {
    const scene = await openScene([{ open: world.open }], { patient: true });
    await scene.append(3);
    await scene.eventually(() => scene.exports.evidence.status().exports?.[0]?.lag_records === 0);
    await world.away();
    await scene.append(5);
    await scene.eventually(() => scene.waits.some((ms) => ms > 1));
    await scene.close();
    await world.back();
    expect(indices()).toEqual(upTo(3));
    const next = await openScene([{ open: world.open }], { directory: scene.directory });
    await next.eventually(() => indices().length === 8);
    expect(indices()).toEqual(upTo(8));
  });

  test('an answer that was lost makes duplicates at most, and no gap', async () => {
    const scene = await openScene([{ open: world.open }]);
    world.loseAnswer();
    await scene.append(4);
    await scene.eventually(() => scene.exports.evidence.status().exports?.[0]?.lag_records === 0);
    expect(indices().length > 4).toBe(world.rewrites !== true);
    expect([...new Set(indices())]).toEqual(upTo(4));
    expect(scene.exports.evidence.status().exports![0]).toMatchObject({ gap_records: 0 });
  });

  test('a receiver that hangs holds up nobody', async () => {
    const scene = await openScene([{ open: world.open }]);
    const release = world.hang();
    await scene.append(50);
    await scene.append(50);
    expect(scene.exports.evidence.status()).toMatchObject({ writable: true, size: 100 });
    expect(scene.exports.evidence.status().exports![0]).toMatchObject({ lag_records: 100 });
    release();
    await scene.close();
  });

  test('members that a record has lost are simply not there', async () => {
    const driver = await world.open();
    const bare = { v: 1, index: 0, time: '2027-01-01T00:00:00.000Z', instance: 'one' } as const;
    const text = driver.format({ ...bare, kind: 'decision' });
    expect(JSON.parse(String(text))).toBeInstanceOf(Object);
    expect(text).not.toMatch(/undefined|null/);
    await driver.close();
  });
});

describe('a receiver that refuses', () => {
  const opened: World[] = [];
  afterEach(async () => {
    for (const world of opened.splice(0)) await world.close();
  });
  const refusing = Object.entries(WORLDS).filter(([name]) => name !== 'jsonl');

  test.each(refusing)(
    '%s: one record is left out and told, and holds up no other',
    async (_name, openWorld) => {
      const world = await openWorld();
      opened.push(world);
      world.poison?.(5);
      const scene = await openScene([{ open: world.open }]);
      await scene.append(9);
      await scene.eventually(() => scene.exports.evidence.status().exports?.[0]?.lag_records === 0);
      expect(world.received().map(({ index }) => index)).toEqual([0, 1, 2, 3, 4, 6, 7, 8]);
      const reason = 'the receiver answered with status 400';
      const gap = { first: 5, last: 5, records: 1, reason };
      expect(scene.exports.evidence.status().exports![0]).toMatchObject({
        gap_records: 1,
        gaps: [gap],
      });
      expect(scene.lines).toContainEqual({
        level: 'error',
        message: 'records are left out of an export of the evidence',
        fields: { export: 'one', ...gap },
      });
      await scene.close();
      const next = await openScene([{ open: world.open }], { directory: scene.directory });
      expect(next.exports.evidence.status().exports![0]).toMatchObject({ gaps: [gap] });
    },
  );
});
