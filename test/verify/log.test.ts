/** Whole logs: files that are wrong, and operators who change what they signed, each by name. */
import { describe, expect, test } from '@jest/globals';
import { verifyLog } from '../../src/verify/log.ts';
import { readTile } from '../../src/verify/tiles.ts';
import { consistencyPath, rootAt } from '../../src/verify/tile_proof.ts';
import {
  checkpointOf,
  consistencyOf,
  leafOf,
  logFiles,
  logSigner,
  recordText,
  recordTexts,
  rootOf,
  tileFiles,
  witnessSigner,
} from '../support/small_log.ts';
import { filesSource, LOG, outcome, trustIn } from './fixture.ts';

const TRUST = trustIn(LOG);
const FIVE = recordTexts(5);
const THREE = recordTexts(3);

async function judge(files: ReadonlyMap<string, Uint8Array>, since?: readonly string[]) {
  const old = since && Buffer.from(checkpointOf(since, [LOG]));
  return outcome(await verifyLog(filesSource(files), TRUST, { ...(old && { since: old }) }));
}

test.each([0, 1, 2, 5, 255, 256, 257, 300, 512, 513])('a log of %d is true', async (size) => {
  const entries = recordTexts(size);
  const files = logFiles(entries, [LOG]);
  expect(await judge(files)).toBe(true);
  for (const old of [0, 1, size >> 1, size - 1, size].filter((at) => at >= 0 && at <= size)) {
    expect([old, await judge(files, entries.slice(0, old))]).toEqual([old, true]);
  }
});

test('each bit of a small log counts: with any one flipped it is false', async () => {
  const files = logFiles(THREE, [LOG]);
  const accepted = [];
  for (const [path, bytes] of files) {
    for (let at = 0; at < bytes.length; at += 1) {
      for (let bit = 1; bit < 256; bit *= 2) {
        const changed = Buffer.from(bytes);
        changed.writeUInt8(changed.readUInt8(at) ^ bit, at);
        if ((await judge(new Map(files).set(path, changed))) === true) accepted.push([path, at]);
      }
    }
  }
  expect(files.size).toBe(3);
  expect(accepted).toEqual([]);
});

describe('a file of the log', () => {
  const files = logFiles(recordTexts(300), [LOG]);
  test.each([...files.keys()])('%s must be there, and whole, and no longer', async (path) => {
    const bytes = files.get(path) as Buffer;
    const without = new Map(files);
    without.delete(path);
    expect(await judge(without)).toBe('TILE_MISSING');
    const longer = Buffer.concat([bytes, Buffer.of(0)]);
    for (const wrong of [bytes.subarray(0, -1), longer, Buffer.alloc(0)]) {
      expect(await judge(new Map(files).set(path, wrong))).toMatch(/_MALFORMED$/);
    }
  });

  test('with other hashes than those of the entries is false', async () => {
    const tile = Buffer.from(files.get('tile/1/000.p/1') as Buffer).fill(1);
    expect(await judge(new Map(files).set('tile/1/000.p/1', tile))).toBe('TILE_FALSE');
  });

  test('that is partial may be gone when the full one is there', async () => {
    const grown = logFiles(recordTexts(512), [LOG]);
    const mixed = new Map(grown).set('checkpoint', files.get('checkpoint') as Buffer);
    mixed.set('tile/1/000.p/1', files.get('tile/1/000.p/1') as Buffer);
    expect(await judge(mixed)).toBe(true);
  });
});

describe('an operator without the key who', () => {
  const files = logFiles(FIVE, [LOG]);
  /** Other entries, with tiles that fit them, under the old checkpoint. */
  const under = (entries: readonly string[]) =>
    new Map(logFiles(entries, [LOG])).set('checkpoint', files.get('checkpoint') as Buffer);

  test.each([
    ['edits a record', FIVE.with(2, recordText(2, 'another')), 'ROOT_FALSE'],
    ['swaps two records', FIVE.with(1, FIVE[2] ?? '').with(2, FIVE[1] ?? ''), 'RECORD_MISPLACED'],
    ['drops a record', FIVE.toSpliced(1, 1), 'TILE_MISSING'],
    ['adds a record', [...FIVE, recordText(5)], 'TILE_MISSING'],
  ])('%s is found out', async (_name, entries, code) => {
    expect(await judge(under(entries))).toBe(code);
  });

  test('edits entries but no tiles is found out', async () => {
    const [name = ''] = [...files.keys()].filter((path) => path.includes('entries'));
    const bundle = logFiles(FIVE.with(2, recordText(2, 'MADE by a test')), [LOG]).get(name);
    expect(await judge(new Map(files).set(name, bundle as Buffer))).toBe('TILE_FALSE');
  });

  test('signs with a key of their own is found out', async () => {
    const namesake = logSigner(LOG.name);
    expect(await judge(logFiles(FIVE, [namesake]))).toBe('LOG_SIGNATURE_ABSENT');
    expect(await judge(logFiles(FIVE, [logSigner('example.com/other')]))).toBe('LOG_UNKNOWN');
  });
});

describe('an operator with the key, before somebody who kept a checkpoint of five, who', () => {
  const more = recordTexts(9);
  test.each([
    ['rewrites a record', more.with(2, recordText(2, 'another')), 'LOG_REWRITTEN'],
    ['rewrites the last that was seen', more.with(4, recordText(4, 'another')), 'LOG_REWRITTEN'],
    ['reorders records', more.with(1, more[2] ?? '').with(2, more[1] ?? ''), 'RECORD_MISPLACED'],
    [
      'drops a record and numbers anew',
      [0, 1, 2, 3].map((at) => recordText(at, 'x')),
      'LOG_TRUNCATED',
    ],
    [
      'drops one and adds others',
      [...more.slice(0, 2), recordText(2, 'of 3'), ...more.slice(3)],
      'LOG_REWRITTEN',
    ],
    ['truncates the log', more.slice(0, 4), 'LOG_TRUNCATED'],
    ['forks the log', FIVE.with(4, recordText(4, 'another')), 'LOG_FORKED'],
    ['begins anew', [], 'LOG_TRUNCATED'],
    ['only goes on', more, true],
  ])('%s', async (_name, entries, code) => {
    expect(await judge(logFiles(entries, [LOG]), FIVE)).toBe(code);
  });

  test('shows a checkpoint of another log is found out', async () => {
    const other = logSigner('example.com/other');
    const since = Buffer.from(checkpointOf(FIVE, [other]));
    const both = { ...TRUST, logs: [...TRUST.logs, ...trustIn(other).logs] };
    const source = filesSource(logFiles(more, [LOG]));
    expect(outcome(await verifyLog(source, both, { since }))).toBe('LOG_UNKNOWN');
    expect(outcome(await verifyLog(source, TRUST, { since }))).toBe('LOG_UNKNOWN');
  });
});

test('a log whose checkpoint lacks the witnesses of the policy is not believed', async () => {
  const witness = witnessSigner('witness.example/w1');
  const trust = trustIn(LOG, [witness]);
  const since = Buffer.from(checkpointOf(FIVE, [LOG]));
  const alone = filesSource(logFiles(FIVE, [LOG]));
  expect(outcome(await verifyLog(alone, trust))).toBe('QUORUM_UNMET');
  const cosigned = filesSource(logFiles(FIVE, [LOG, witness]));
  expect(outcome(await verifyLog(cosigned, trust, { since }))).toBe(true);
});

describe('where records may not be read, the tree is judged by its tiles', () => {
  const entries = recordTexts(300);
  const judgeHashes = async (files: Map<string, Buffer>, kept: readonly string[]) => {
    for (const path of files.keys()) if (path.includes('entries')) files.delete(path);
    const since = Buffer.from(checkpointOf(kept, [LOG]));
    return outcome(await verifyLog(filesSource(files), TRUST, { since, hashes_only: true }));
  };

  test('which must add up to the root and begin with what was kept', async () => {
    expect(await judgeHashes(logFiles(entries, [LOG]), entries.slice(0, 257))).toBe(true);
    const rewritten = entries.with(3, recordText(3, 'another'));
    expect(await judgeHashes(logFiles(rewritten, [LOG]), FIVE)).toBe('LOG_REWRITTEN');
    const false_tile = logFiles(entries, [LOG]).set('tile/0/001.p/44', Buffer.alloc(44 * 32));
    expect(await judgeHashes(false_tile, FIVE)).toBe('ROOT_FALSE');
    const false_above = logFiles(entries, [LOG]).set('tile/1/000.p/1', Buffer.alloc(32));
    expect(await judgeHashes(false_above, FIVE)).toBe('TILE_FALSE');
  });
});

describe('tiles', () => {
  const LEAVES = Array.from({ length: 66_000 }, (_, at) => leafOf(String(at)));

  test.each([1, 2, 3, 255, 256, 257, 511, 513, 700])(
    'of %d leaves give each older root and its proof',
    async (size) => {
      const leaves = LEAVES.slice(0, size);
      const source = filesSource(tileFiles(leaves));
      for (let old = 1; old <= size; old += size > 300 ? 37 : 5) {
        expect(await consistencyPath(source, old, size)).toEqual(consistencyOf(old, leaves));
        expect(await rootAt(source, old, size)).toEqual(rootOf(leaves.slice(0, old)));
      }
    },
  );

  test('of three levels give proofs too', async () => {
    const source = filesSource(tileFiles(LEAVES));
    for (const old of [1, 256, 65_535, 65_536, 65_537, 65_999]) {
      const found = await consistencyPath(source, old, LEAVES.length);
      expect(found).toEqual(consistencyOf(old, LEAVES));
    }
  });

  test.each([
    [[0, 1_234_067], 'tile/0/x001/x234/067'],
    [[1, 7], 'tile/1/007'],
    [[0, 1000], 'tile/0/x001/000'],
    [[0, 999], 'tile/0/999'],
    [[3, 0], 'tile/3/000'],
  ] as const)('%j lies at %s', async (place, path) => {
    const asked: string[] = [];
    const source = {
      read: (name: string) => {
        asked.push(name);
        return Promise.resolve(Buffer.alloc(8192));
      },
    };
    await readTile(source, 2 ** 40, place);
    expect(asked).toEqual([path]);
  });
});
