/** The directory of a log: whose it is, what is said where it cannot be used, what stays open. */
import {
  appendFileSync,
  chmodSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import {
  ENTRY,
  type LoggedLine,
  openLog,
  recordingLogger,
  temporaryDirectory,
} from '../support/evidence_log.ts';
import { fakeDisk } from '../support/fake_disk.ts';
import { prerequisite } from '../support/prerequisite.ts';
import { seededRandom } from '../support/seeded_random.ts';

test('the directory and its files are for this user only', async () => {
  const directory = join(temporaryDirectory(), 'state', 'evidence');
  const log = await openLog(directory, { settings: { segment_bytes_max: 300 } });
  await log.append(ENTRY);
  await log.append(ENTRY);
  await log.close();
  expect(modeOf(join(directory, '..'))).toBe(0o700);
  expect(modeOf(directory)).toBe(0o700);
  expect(readdirSync(directory).map((name) => modeOf(join(directory, name)))).toEqual([
    0o600, 0o600, 0o600, 0o600, 0o600,
  ]);
});

function modeOf(path: string): number {
  return statSync(path).mode & 0o777;
}

test('a directory that is a file is refused by its name', async () => {
  const path = join(temporaryDirectory(), 'file');
  writeFileSync(path, '');
  await expect(openLog(path)).rejects.toMatchObject({
    code: 'EVIDENCE_UNWRITABLE',
    message:
      `the evidence directory \`${path}\` cannot be used ` +
      '(EEXIST: a part of the path is a file; name another in evidence.directory)',
  });
});

test('a directory that cannot be written is refused with what to do', async () => {
  const directory = temporaryDirectory();
  chmodSync(directory, 0o500);
  const leave = becomeNobody();
  try {
    await expect(openLog(directory)).rejects.toMatchObject({
      code: 'EVIDENCE_UNWRITABLE',
      message: expect.stringContaining(`\`${directory}\` cannot be used (`),
    });
    await expect(openLog(directory)).rejects.toMatchObject({
      message: expect.stringMatching(/\((EACCES|ERR_SQLITE_ERROR): let this user own it, or name/),
    });
  } finally {
    leave();
  }
});

/** Root may write everywhere: for the time of a test it is nobody. */
function becomeNobody(): () => void {
  if (process.geteuid?.() !== 0) return () => {};
  process.seteuid?.(65534);
  return () => process.seteuid?.(0);
}

const OWN_IT = 'let this user own it, or name another directory in evidence.directory';
const NAME_ANOTHER = 'a part of the path is a file; name another in evidence.directory';

test.each([
  ['EACCES', OWN_IT],
  ['EPERM', OWN_IT],
  ['ERR_SQLITE_ERROR', OWN_IT],
  ['EROFS', 'it is read-only; name a directory on another disk in evidence.directory'],
  ['ENOENT', 'no folder can be made there; name another in evidence.directory'],
  ['ENOTDIR', NAME_ANOTHER],
  ['EEXIST', NAME_ANOTHER],
  ['ENOSPC', 'the disk is full; free some and start again'],
  ['EDQUOT', 'the quota is used up; free some and start again'],
  ['EIO', 'the disk fails; replace it and start again'],
])('of %s it is said what to do', async (code, advice) => {
  await expect(openOn(code)).rejects.toMatchObject({
    code: 'EVIDENCE_UNWRITABLE',
    message: `the evidence directory \`/evidence\` cannot be used (${code}: ${advice})`,
    cause: { code },
  });
});

test('an error that nobody has advice on is told by its code', async () => {
  await expect(openOn('EMFILE')).rejects.toMatchObject({
    message: 'the evidence directory `/evidence` cannot be used (EMFILE)',
  });
});

function openOn(code: string): Promise<unknown> {
  const createDirectory = () => Promise.reject(Object.assign(new Error(code), { code }));
  const files = Object.assign(fakeDisk(seededRandom(1)), { createDirectory });
  return openLog('/evidence', { files });
}

test('what is open is told with its records, and nothing else where all is well', async () => {
  const directory = temporaryDirectory();
  const log = await openLog(directory);
  await log.append(ENTRY);
  await log.close();
  const lines: LoggedLine[] = [];
  await (await openLog(directory, { log: recordingLogger(lines) })).close();
  expect(lines).toEqual([
    { level: 'info', message: 'the evidence log is open', fields: { directory, records: 1 } },
  ]);
});

test('a start that fails after the lock was taken gives it back', async () => {
  const files = fakeDisk(seededRandom(1));
  const log = await openLog('/evidence', { files });
  await log.append(ENTRY);
  await log.close();
  const name = '/evidence/0000000000000000.log';
  const file = files.open(name, 'write');
  file.write(Buffer.from('torn'), file.size_bytes());
  const before = files.changes;
  const recovered = await openLog('/evidence', { files });
  const changes_of_start = files.changes - before;
  await recovered.close();
  expect(changes_of_start).toBeGreaterThan(3);
  for (let skip = 0; skip < changes_of_start; skip += 1) {
    const torn = files.open(name, 'write');
    torn.write(Buffer.from('torn'), torn.size_bytes());
    files.failAfter(skip, 'EIO');
    await expect(openLog('/evidence', { files })).rejects.toMatchObject({ cause: { code: 'EIO' } });
    await (await openLog('/evidence', { files })).close();
  }
});

const describeWithProc = prerequisite('/proc', process.platform === 'linux', 'run it on Linux');

describeWithProc('nothing stays open', () => {
  /** The files under a directory that this process holds open. */
  function openUnder(directory: string): string[] {
    const paths = readdirSync('/proc/self/fd').map((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`);
      } catch {
        return ''; // the listing itself
      }
    });
    return paths.filter((path) => path.startsWith(directory));
  }

  test('but one segment and the lock, and after the close nothing', async () => {
    const directory = temporaryDirectory();
    const log = await openLog(directory, { settings: { segment_bytes_max: 300 } });
    for (let records = 0; records < 3; records += 1) await log.append(ENTRY);
    const names = openUnder(directory).map((path) => path.slice(directory.length + 1));
    expect(names.filter((name) => name.endsWith('.log'))).toEqual(['0000000000000002.log']);
    expect(names).toContain('lock');
    await log.close();
    expect(openUnder(directory)).toEqual([]);
  });

  test('of a directory that is locked, and of a log that is damaged', async () => {
    const directory = temporaryDirectory();
    const log = await openLog(directory, { settings: { segment_bytes_max: 300 } });
    for (let records = 0; records < 3; records += 1) await log.append(ENTRY);
    await expect(openLog(directory)).rejects.toMatchObject({ code: 'EVIDENCE_LOCKED' });
    await log.close();
    const last = join(directory, '0000000000000002.log');
    appendFileSync(last, readFileSync(last));
    await expect(openLog(directory)).rejects.toMatchObject({ code: 'EVIDENCE_DAMAGED' });
    writeFileSync(join(directory, '0000000000000000.log'), '');
    await expect(openLog(directory)).rejects.toMatchObject({ code: 'EVIDENCE_DAMAGED' });
    expect(openUnder(directory)).toEqual([]);
  });
});
