import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import type { BundleSource } from '../../src/bundle/source.ts';
import { PortcullisError } from '../../src/errors.ts';
import { bundleOf, Scene, type Held } from '../support/bundle_scene.ts';

function codeOf(source: BundleSource<Held>): string {
  try {
    source.current();
    return 'present';
  } catch (error) {
    return error instanceof PortcullisError ? `${error.code}: ${error.message}` : String(error);
  }
}

describe('the first policy', () => {
  test('is in force when the source is open', async () => {
    const scene = new Scene();
    scene.writeBundle({ v: 1 });
    await scene.open();
    expect(scene.source.current().data).toEqual({ v: 1 });
    expect(scene.lines).toEqual([
      {
        level: 'info',
        message: 'a policy was activated',
        fields: {
          revision: expect.stringMatching(/^[0-9a-f]{12}$/),
          digest: expect.stringMatching(/^sha256:/),
        },
      },
    ]);
  });

  test.each([
    ['is missing', () => undefined],
    ['is garbage', (scene: Scene) => writeFileSync(scene.bundle, 'garbage')],
    ['is cut off', (scene: Scene) => writeFileSync(scene.bundle, bundleOf({}).subarray(0, 90))],
  ])('that %s stops the start', async (_title, arrange) => {
    const scene = new Scene();
    arrange(scene);
    await expect(scene.open()).rejects.toMatchObject({ code: 'BUNDLE_INVALID' });
  });

  test('that must not be activated stops the start with its reason', async () => {
    const scene = new Scene();
    scene.writeBundle({});
    scene.obstacle = new PortcullisError(
      'BUNDLE_REFUSED',
      'the policy does not deny nobody: allow',
    );
    await expect(scene.open()).rejects.toMatchObject({
      code: 'BUNDLE_REFUSED',
      message: `\`${scene.bundle}\`: the policy does not deny nobody: allow`,
    });
  });

  test('that is read once more, as if half written, is not activated twice', async () => {
    const scene = new Scene();
    scene.writeBundle({ v: 1 });
    await scene.open();
    await scene.settle();
    await scene.settle();
    expect(scene.activations).toBe(1);
  });
});

describe('a change', () => {
  const start = async (changes = {}): Promise<Scene> => {
    const scene = new Scene();
    scene.writeBundle({ v: 1 });
    await scene.open(changes);
    await scene.settle();
    return scene;
  };

  test('is activated when two looks saw the same file, and what is held stays usable', async () => {
    const scene = await start();
    const held = scene.source.current();
    let told = 0;
    const stop = scene.source.watch(() => (told += 1));
    scene.writeBundle({ v: 2 });
    await scene.source.check();
    expect(scene.source.current()).toBe(held);
    await scene.source.check();
    expect(scene.source.current().data).toEqual({ v: 2 });
    expect({ told, closed: held.closed }).toEqual({ told: 1, closed: false });
    stop();
    scene.writeBundle({ v: 3 });
    await scene.settle();
    expect({ told, data: scene.source.current().data }).toEqual({ told: 1, data: { v: 3 } });
  });

  test('by rename is seen, and the same bytes written again are no change', async () => {
    const scene = await start();
    writeFileSync(`${scene.bundle}.new`, bundleOf({ v: 2 }));
    renameSync(`${scene.bundle}.new`, scene.bundle);
    await scene.settle();
    scene.writeBundle({ v: 2 });
    await scene.settle();
    expect({ data: scene.source.current().data, activations: scene.activations }).toEqual({
      data: { v: 2 },
      activations: 2,
    });
  });

  test('that is still being written waits, though each state of it could be read', async () => {
    const scene = await start();
    for (let v = 2; v < 6; v += 1) {
      scene.writeBundle({ v: 'x'.repeat(v) });
      await scene.source.check();
    }
    expect(scene.activations).toBe(1);
    await scene.source.check();
    expect(scene.source.current().data).toEqual({ v: 'xxxxx' });
  });

  test('to a bad bundle leaves the good one, and is told once', async () => {
    const scene = await start();
    writeFileSync(scene.bundle, bundleOf({ v: 2 }).subarray(0, 100));
    for (let i = 0; i < 5; i += 1) await scene.source.check();
    expect(scene.source.current().data).toEqual({ v: 1 });
    expect(scene.problems()).toEqual([`\`${scene.bundle}\`: the archive is cut off`]);
    scene.writeBundle({ v: 2 });
    await scene.settle();
    expect(scene.source.current().data).toEqual({ v: 2 });
  });

  test('that must not be activated leaves the good one, and is tried once', async () => {
    const scene = await start();
    scene.obstacle = new PortcullisError('BUNDLE_REFUSED', 'the self-test `a` expects deny');
    scene.writeBundle({ v: 2 });
    for (let i = 0; i < 5; i += 1) await scene.source.check();
    scene.obstacle = undefined;
    await scene.settle();
    expect(scene.source.current().data).toEqual({ v: 1 });
    expect(scene.problems()).toEqual([`\`${scene.bundle}\`: the self-test \`a\` expects deny`]);
  });

  test('that takes the file away leaves the policy until it is back', async () => {
    const scene = await start();
    rmSync(scene.bundle);
    await scene.settle();
    expect(scene.source.current().data).toEqual({ v: 1 });
    expect(scene.problems()).toEqual([
      `cannot read \`${scene.bundle}\`: there is no such file or folder`,
    ]);
    scene.writeBundle({ v: 3 });
    await scene.settle();
    expect(scene.source.current().data).toEqual({ v: 3 });
  });

  test('is noticed by the source itself', async () => {
    const scene = await start({ reload_interval_ms: 10 });
    const changed = new Promise<void>((resolve) => scene.source.watch(resolve));
    scene.writeBundle({ v: 2 });
    await changed;
    expect(scene.source.current().data).toEqual({ v: 2 });
  });

  test('during a look that takes long is not activated half', async () => {
    const scene = await start({ reload_interval_ms: 1 });
    for (let v = 0; v < 40; v += 1) {
      scene.writeBundle({ v, pad: 'x'.repeat(v * 1000) });
      await delay(v % 5);
    }
    await scene.settle();
    await scene.settle();
    expect(scene.source.current().data).toMatchObject({ v: 39 });
    expect(scene.lines.filter(({ level }) => level === 'error')).toEqual([]);
  });
});

describe('the age of a policy', () => {
  test('counts from the last look that found it good', async () => {
    const scene = new Scene();
    scene.writeBundle({ v: 1 });
    await scene.open({ age_seconds_max: 60 });
    let told = 0;
    scene.source.watch(() => (told += 1));
    await scene.settle();
    scene.now_ms += 60_000;
    expect(codeOf(scene.source)).toBe('present');
    scene.now_ms += 1;
    expect(codeOf(scene.source)).toBe('POLICY_ABSENT: the policy is older than age_seconds_max');
    await scene.source.check();
    expect({ code: codeOf(scene.source), told }).toEqual({ code: 'present', told: 0 });
  });

  test('[E-21] goes on while the file is bad, and then there is none', async () => {
    const scene = new Scene();
    scene.writeBundle({ v: 1 });
    await scene.open({ age_seconds_max: 60 });
    await scene.settle();
    let told = 0;
    scene.source.watch(() => (told += 1));
    writeFileSync(scene.bundle, 'garbage');
    await scene.settle();
    scene.now_ms += 61_000;
    await scene.source.check();
    expect(codeOf(scene.source)).toBe(
      'POLICY_ABSENT: the policy is older than age_seconds_max: ' +
        `\`${scene.bundle}\`: the archive is no gzip`,
    );
    expect(told).toBe(1);
    scene.writeBundle({ v: 2 });
    await scene.settle();
    expect({ data: scene.source.current().data, told }).toEqual({ data: { v: 2 }, told: 2 });
  });
});

describe('data laid over the bundle', () => {
  test('as YAML, and its change is a change of the policy', async () => {
    const scene = new Scene();
    scene.writeBundle({ a: 1, b: 1 });
    writeFileSync(scene.data, 'b: 2\n');
    await scene.open({ data: scene.data });
    await scene.settle();
    expect(scene.source.current().data).toEqual({ a: 1, b: 2 });
    writeFileSync(scene.data, 'b: 3\nc: [1]\n');
    await scene.settle();
    expect(scene.source.current().data).toEqual({ a: 1, b: 3, c: [1] });
    writeFileSync(scene.data, 'b: [3\n');
    await scene.settle();
    expect(scene.source.current().data).toEqual({ a: 1, b: 3, c: [1] });
    expect(scene.problems()).toEqual([expect.stringContaining('cannot be read: ')]);
  });

  test('as JSON', async () => {
    const scene = new Scene();
    scene.writeBundle({ a: 1 });
    const data = join(scene.folder, 'limits.json');
    writeFileSync(data, '{"a":{"x":1}}');
    await scene.open({ data });
    expect(scene.source.current().data).toEqual({ a: { x: 1 } });
  });

  test('as a folder', async () => {
    const scene = new Scene();
    scene.writeBundle({ a: 1 });
    const data = join(scene.folder, 'data');
    mkdirSync(join(data, 'limits'), { recursive: true });
    writeFileSync(join(data, 'data.yaml'), 'a: 2\n');
    writeFileSync(join(data, 'limits/data.json'), '{"x":1}');
    writeFileSync(join(data, 'README.md'), 'what is here');
    await scene.open({ data });
    await scene.settle();
    expect(scene.source.current().data).toEqual({ a: 2, limits: { x: 1 } });
    writeFileSync(join(data, 'limits/data.json'), '{"x":2}');
    await scene.settle();
    expect(scene.source.current().data).toEqual({ a: 2, limits: { x: 2 } });
    writeFileSync(join(data, 'more.yaml'), 'b: 1\n');
    await scene.settle();
    expect(scene.problems()).toEqual([
      `\`${data}\`: only data.json and data.yaml are read: \`more.yaml\``,
    ]);
  });

  test.each([
    ['is missing', undefined, 'DATA_INVALID'],
    ['uses a reserved root', 'mcp: {}\n', 'DATA_INVALID'],
    ['is a list', '- a\n', 'DATA_INVALID'],
  ])('that %s stops the start', async (_title, text, code) => {
    const scene = new Scene();
    scene.writeBundle({});
    if (text !== undefined) writeFileSync(scene.data, text);
    await expect(scene.open({ data: scene.data })).rejects.toMatchObject({ code });
  });
});

test('closing ends the active policy, and there is none after it', async () => {
  const scene = new Scene();
  scene.writeBundle({ v: 1 });
  await scene.open({ reload_interval_ms: 1 });
  const held = scene.source.current();
  await scene.source.close();
  expect({ closed: held.closed, code: codeOf(scene.source) }).toEqual({
    closed: true,
    code: 'POLICY_ABSENT: no policy is active',
  });
});
