/** Row 19: who may write a file that is read again while the service runs takes the policy over. */
import { once } from 'node:events';
import { chmodSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { privateFolder } from '../pdp/fixture.ts';
import { embedded } from '../pep/support/real.ts';
import { activate, evidenceOnDisk, sceneWith as sceneOver } from '../support/decisions.ts';
import { callOf } from './support/bank.ts';
import { DATA, libraryWith, withData } from './support/policy.ts';
import { askedOverTcp, closing, service } from './support/service.ts';
import { guardedHttp, type Open } from './support/targets.ts';

const OPEN = withData({ grants: [{ to: { anyone: true }, on: 'tool:bank/*' }] });

/** Puts data in place that anybody could have written. */
function overwrite(file: string): void {
  writeFileSync(`${file}.new`, JSON.stringify(OPEN));
  chmodSync(`${file}.new`, 0o666);
  renameSync(`${file}.new`, file);
}

async function doneAfter(open: Open, change: () => Promise<unknown>): Promise<string[]> {
  const { bank, say, close } = await open();
  await say(JSON.stringify(callOf('secret')));
  expect(bank.done).toEqual(['balance']);
  await change();
  await say(JSON.stringify(callOf('secret')));
  await close();
  return bank.done.slice(1);
}

test('data that others can write does not come into force', async () => {
  const serving = await service(['policy:', '  reload_interval_ms: 50']);
  const refused = async () => {
    overwrite(serving.data);
    while (!serving.stderr().includes('the policy was not reloaded')) {
      await once(serving.child.stderr!, 'data');
    }
  };
  const open = guardedHttp(1, { point: () => askedOverTcp(serving) });
  expect(await doneAfter(open, refused)).toEqual(['balance']);
  expect(serving.stderr()).toContain(`chmod go-w ${serving.data}`);
});

test('it can, where a file is taken for what it says', async () => {
  const { path, remove } = privateFolder();
  closing({ close: remove });
  const file = join(path, 'data.json');
  const { evidence, read } = await evidenceOnDisk();
  const load = async () =>
    activate(await libraryWith(JSON.parse(readFileSync(file, 'utf8'))), evidence);
  writeFileSync(file, JSON.stringify(DATA));
  const scene = sceneOver(await load(), evidence, read);
  const reload = async () => {
    overwrite(file);
    scene.change(await load());
  };
  const open = guardedHttp(1, { point: () => embedded(scene.core) });
  expect(await doneAfter(open, reload)).toContain('secret');
});
