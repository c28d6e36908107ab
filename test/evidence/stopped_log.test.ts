/** A log that no service writes, opened without its key. */
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { nodeFiles } from '../../src/evidence/files.ts';
import { openStoppedLog } from '../../src/evidence/stopped_log.ts';
import {
  ENTRY,
  SETTINGS,
  openLog,
  readAll,
  recordingLogger,
  temporaryDirectory,
} from '../support/evidence_log.ts';

type StoppedLog = Awaited<ReturnType<typeof openStoppedLog>>;

const openStopped = (directory: string, prove_all_records = false): Promise<StoppedLog> =>
  openStoppedLog({
    directory,
    clock: { now_ms: () => Date.UTC(2027, 0, 1) },
    randomness: randomBytes,
    files: nodeFiles,
    settings: { ...SETTINGS, prove_all_records },
    log: recordingLogger([]),
  });

/** A log with a record of each of these instances. */
async function writtenBy(...instances: string[]): Promise<string> {
  const directory = temporaryDirectory();
  for (const instance of instances) {
    const log = await openLog(directory, { instance });
    await log.append(ENTRY);
    await log.close();
  }
  return directory;
}

test.each([false, true])(
  'it is redacted as the instance that wrote last, and signed by who opens it next',
  async (prove_all_records) => {
    const directory = await writtenBy('one', 'two');
    const checkpoint = readFileSync(join(directory, 'checkpoint'), 'utf8');
    const log = await openStopped(directory, prove_all_records);
    expect(await log.redact({ caller: 'uid:1', by: { record: 0 } })).toEqual({
      index: 2,
      records: 1,
    });
    await log.close();
    expect(readFileSync(join(directory, 'checkpoint'), 'utf8')).toBe(checkpoint);
    const [first, second, last] = await readAll(directory);
    expect([first?.detail, second?.detail]).toEqual([undefined, ENTRY.detail]);
    expect(last).toMatchObject({ kind: 'redaction', caller: 'uid:1', instance: 'two' });

    const next = await openLog(directory, { settings: { prove_all_records: true } });
    expect(next.tree.checkpoint().split('\n')[1]).toBe('3');
    await next.close();
  },
);

test('it has one writer', async () => {
  const directory = await writtenBy('one');
  const log = await openStopped(directory);
  await expect(openStopped(directory)).rejects.toMatchObject({ code: 'EVIDENCE_LOCKED' });
  await log.close();
  await (await openStopped(directory)).close();
});

test('it is not opened where its records are not those that were signed', async () => {
  const directory = await writtenBy('one', 'one');
  const other = await writtenBy('one', 'six');
  const name = '0000000000000000.log';
  writeFileSync(join(directory, name), readFileSync(join(other, name)));
  await expect(openStopped(directory)).rejects.toMatchObject({
    code: 'EVIDENCE_DAMAGED',
    message: expect.stringContaining('are not those of the checkpoint over 2'),
  });
});

test('a folder that holds no log, and one that is not there, are refused as they are', async () => {
  const empty = temporaryDirectory();
  const absent = join(empty, 'absent');
  for (const directory of [empty, absent]) {
    await expect(openStopped(directory)).rejects.toMatchObject({
      code: 'ARGUMENT_INVALID',
      message: `no log has signed a record in \`${directory}\``,
    });
  }
  expect(existsSync(absent)).toBe(false);
});

test('a log that signed no record yet is refused', async () => {
  const directory = await writtenBy();
  await (await openLog(directory)).close();
  await expect(openStopped(directory)).rejects.toMatchObject({ code: 'ARGUMENT_INVALID' });
});
