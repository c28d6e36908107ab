import { chmodSync, lchownSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from '@jest/globals';
import { Scene } from '../support/bundle_scene.ts';

type Place = [what: 'bundle' | 'policy data', title: string, in_scene: readonly string[]];

/** Each thing that somebody else could write, as steps below the folder of the scene. */
const PLACES: readonly Place[] = [
  ['bundle', 'the bundle file', ['bundle.tar.gz']],
  ['bundle', 'the folder of the bundle file', []],
  ['bundle', 'the bundle folder', ['bundle']],
  ['bundle', 'a file in the bundle folder', ['bundle', 'policy.wasm']],
  ['bundle', 'a folder in the bundle folder', ['bundle', 'tables']],
  ['bundle', 'an empty folder in the bundle folder', ['bundle', 'empty']],
  ['policy data', 'the data file', ['data', 'one', 'data.yaml']],
  ['policy data', 'the folder of the data file', ['data', 'one']],
  ['policy data', 'the folder above that of the data file', ['data']],
  ['policy data', 'a file in the data folder', ['data', 'more', 'tables', 'data.json']],
  ['policy data', 'a folder in the data folder', ['data', 'more', 'tables']],
];

const { geteuid } = process;
afterEach(() => {
  Object.assign(process, { geteuid });
});

/** A bundle as file and as folder, and data as file and as folder; only we can write them. */
function arrange(): Scene {
  const scene = new Scene();
  scene.writeBundle({ v: 1 });
  const folders = ['bundle/tables', 'bundle/empty', 'data/one', 'data/more/tables'];
  for (const path of folders) mkdirSync(join(scene.folder, path), { recursive: true, mode: 0o755 });
  const files = {
    'bundle/policy.wasm': 'module',
    'bundle/tables/data.json': '{"v":1}',
    'data/one/data.yaml': 'w: 1\n',
    'data/more/tables/data.json': '{"w":1}',
  };
  for (const [path, text] of Object.entries(files)) writeFileSync(join(scene.folder, path), text);
  return scene;
}

/** Opens the source over the bundle and the data that a place belongs to. */
function open(scene: Scene, [what, , steps]: Place): Promise<Scene> {
  if (what === 'bundle') {
    scene.bundle = join(scene.folder, steps[0] ?? 'bundle.tar.gz');
    return scene.open();
  }
  const data = steps[1] === 'more' ? 'more' : 'one/data.yaml';
  return scene.open({ data: join(scene.folder, 'data', data) });
}

function untrusted(what: string, fault: string): object {
  const message = `the ${what} is not to be trusted: ${fault}`;
  return { code: 'POLICY_UNTRUSTED', message };
}

function writable(path: string): string {
  return `\`${path}\` can be written by others (run: chmod go-w ${path})`;
}

test.each(PLACES)('[E-24] %s is refused where others can write %s', async (...place) => {
  const [what, , steps] = place;
  const scene = arrange();
  const path = join(scene.folder, ...steps);
  for (const mode of [0o775, 0o757]) {
    chmodSync(path, mode);
    await expect(open(scene, place)).rejects.toMatchObject(untrusted(what, writable(path)));
  }
  chmodSync(path, 0o755);
  await open(scene, place);
});

test.each(PLACES)('[E-24] %s is refused where %s belongs to another user', async (...place) => {
  const scene = arrange();
  const path = join(scene.folder, ...place[2]);
  // Root gives it away; who cannot do that is taken for another user instead.
  if (process.geteuid?.() === 0) lchownSync(path, 65_534, 65_534);
  else Object.assign(process, { geteuid: () => 65_534 });
  const fault = expect.stringMatching(/is not to be trusted: `.*` belongs to another user$/);
  await expect(open(scene, place)).rejects.toMatchObject({
    code: 'POLICY_UNTRUSTED',
    message: fault,
  });
});

test('[E-24] a change that comes with open permissions leaves the policy before it', async () => {
  const scene = await arrange().open();
  await scene.settle();
  scene.writeBundle({ v: 2 });
  chmodSync(scene.bundle, 0o666);
  await scene.settle();
  await scene.settle();
  expect(scene.source.current().data).toEqual({ v: 1 });
  expect(scene.problems()).toEqual([`the bundle is not to be trusted: ${writable(scene.bundle)}`]);
  chmodSync(scene.bundle, 0o644);
  await scene.settle();
  expect(scene.source.current().data).toEqual({ v: 2 });
});

test('[E-24] a folder of ours in a sticky one that all can write is trusted', async () => {
  const scene = arrange();
  chmodSync(scene.folder, 0o1777);
  await open(scene, ['policy data', 'the data file', ['data', 'one', 'data.yaml']]);
  expect(scene.source.current().data).toEqual({ v: 1, w: 1 });
});
