/** Following a log by its files: cosigned as long as it keeps its past, and accused by name. */
import { describe, expect, test } from '@jest/globals';
import { PortcullisError } from '../../src/errors.ts';
import { faultOf, Refuted } from '../../src/verify/fault.ts';
import type { LogSource } from '../../src/verify/tiles.ts';
import { follow, followOnce } from '../../src/witness/follow.ts';
import {
  bodyOf,
  checkpointOf,
  logFiles,
  logSigner,
  recordText,
  recordTexts,
} from '../support/small_log.ts';
import { cosignedAt, freshFolder, LOG, openScene } from './fixture.ts';

/** A log whose files can be replaced. */
class Published implements LogSource {
  files: Map<string, Buffer>;

  constructor(entries: readonly string[]) {
    this.files = logFiles(entries, [LOG]);
  }

  publish(entries: readonly string[]): void {
    this.files = logFiles(entries, [LOG]);
  }

  read(path: string): Promise<Buffer | undefined> {
    return Promise.resolve(this.files.get(path));
  }
}

const outcome = async (found: ReturnType<typeof followOnce>) => {
  const { ok, ...rest } = await found;
  return ok ? true : (rest as { fault: { code: string } }).fault.code;
};

const edit = (entries: readonly string[], at: number): string[] =>
  entries.with(at, recordText(at, 'another'));

test('a log that grows is cosigned from checkpoint to checkpoint', async () => {
  const source = new Published([]);
  const scene = openScene();
  for (const size of [0, 1, 4, 5, 255, 256, 300, 520]) {
    const entries = recordTexts(size);
    source.publish(entries);
    const found = await followOnce({ ...scene, source });
    if (!found.ok) throw new Error(found.fault.code);
    const text = bodyOf(entries, LOG.name);
    const line = (found.value as string).slice(checkpointOf(entries, [LOG]).length);
    expect([size, cosignedAt(line, text, scene.cosigner)]).toEqual([size, 1_800_000_000]);
  }
  expect(scene.accusations).toEqual([]);
});

test('a log that has not grown is not cosigned again', async () => {
  let now_s = 1_800_000_000;
  const scene = openScene({ now_s: () => (now_s += 60) });
  const source = new Published(recordTexts(5));
  const first = await followOnce({ ...scene, source });
  expect(await followOnce({ ...scene, source })).toEqual(first);
});

// 4 and 256 are powers of two, whose proofs begin with the old root itself.
describe.each([4, 5, 256, 300])('an operator with the key, after %d were cosigned, who', (size) => {
  const old = recordTexts(size);
  const more = recordTexts(size + 7);
  test.each([
    ['rewrites a record', edit(more, 2), 'LOG_REWRITTEN', ['LOG_REWRITTEN']],
    ['rewrites the last that was seen', edit(more, size - 1), 'LOG_REWRITTEN', ['LOG_REWRITTEN']],
    ['drops a record', more.toSpliced(1, 1), 'LOG_REWRITTEN', ['LOG_REWRITTEN']],
    [
      'reorders records',
      more.with(1, more[2] ?? '').with(2, more[1] ?? ''),
      'LOG_REWRITTEN',
      ['LOG_REWRITTEN'],
    ],
    ['truncates the log', more.slice(0, size - 1), 'LOG_TRUNCATED', ['LOG_TRUNCATED']],
    ['begins anew', [], 'LOG_TRUNCATED', ['LOG_TRUNCATED']],
    ['forks the log', edit(old, 3), 'LOG_FORKED', ['LOG_FORKED']],
    ['only goes on', more, true, []],
  ])('%s', async (_name, entries, code, accusations) => {
    const folder = freshFolder();
    const scene = openScene({ folder });
    const source = new Published(old);
    expect(await outcome(followOnce({ ...scene, source }))).toBe(true);
    source.publish(entries);
    expect(await outcome(followOnce({ ...scene, source }))).toBe(code);
    expect(scene.accusations).toEqual(accusations);
    expect(scene.witness.latest(LOG.name)?.size).toBe(code === true ? entries.length : size);
  });
});

describe('nothing is cosigned of a log', () => {
  const more = logFiles(recordTexts(300), [LOG]);
  test.each([
    ['with a false tile', 'tile/0/001.p/44', Buffer.alloc(44 * 32, 1), 'TILE_FALSE'],
    ['with a tile cut short', 'tile/0/001.p/44', Buffer.alloc(43 * 32, 1), 'TILE_MALFORMED'],
    ['without a tile', 'tile/0/001.p/44', undefined, 'TILE_MISSING'],
    ['without a checkpoint', 'checkpoint', undefined, 'TILE_MISSING'],
    ['with another text as its checkpoint', 'checkpoint', Buffer.from('x'), 'NOTE_MALFORMED'],
    [
      'with the checkpoint of another',
      'checkpoint',
      Buffer.from(checkpointOf(recordTexts(300), [logSigner('example.com/other')])),
      'LOG_UNKNOWN',
    ],
    [
      'with a checkpoint that somebody else signed',
      'checkpoint',
      Buffer.from(checkpointOf(recordTexts(300), [logSigner(LOG.name)])),
      'LOG_SIGNATURE_ABSENT',
    ],
  ])('%s', async (_name, path, bytes, code) => {
    const scene = openScene();
    const source = new Published(recordTexts(5));
    await followOnce({ ...scene, source });
    source.files = new Map(more);
    if (bytes) source.files.set(path, bytes);
    else source.files.delete(path);
    expect(await outcome(followOnce({ ...scene, source }))).toBe(code);
    expect(scene.witness.latest(LOG.name)?.size).toBe(5);
    expect(scene.accusations).toEqual([]);
  });
});

test('a submission that comes between is not overtaken', async () => {
  const scene = openScene();
  const source = new Published(recordTexts(5));
  await followOnce({ ...scene, source });
  const nine = logFiles(recordTexts(9), [LOG]);
  const slow: LogSource = {
    read: async (path) => {
      // Between the checkpoint and its tiles another log client is cosigned.
      if (path !== 'checkpoint')
        await followOnce({ ...scene, source: new Published(recordTexts(12)) });
      return nine.get(path);
    },
  };
  expect(await followOnce({ ...scene, source: slow })).toEqual({ ok: true, value: undefined });
  expect(scene.witness.latest(LOG.name)?.size).toBe(12);
});

test('following goes on after what failed, until it is told to stop', async () => {
  const scene = openScene();
  const ended = new AbortController();
  const published = new Published(recordTexts(5));
  let reads = 0;
  const flaky: LogSource = {
    read: (path) => {
      reads += 1;
      if (reads === 1) throw new PortcullisError('UPSTREAM_FAILED', 'the log answers 500');
      if (reads === 2) return Promise.resolve(Buffer.from('x'));
      return published.read(path);
    },
  };
  const notes: string[] = [];
  await follow(
    { ...scene, source: flaky },
    {
      log: scene.log,
      interval_ms: 1,
      signal: ended.signal,
      onCosigned: (note) => {
        notes.push(note);
        if (notes.length === 1) published.publish(recordTexts(6));
        else ended.abort();
      },
    },
  );
  expect(notes).toHaveLength(2);
  expect(scene.accusations).toEqual(['NOTE_MALFORMED']);
});

test('what is no fault of the log is not taken for one', () => {
  expect(faultOf(new Refuted('LOG_FORKED')).code).toBe('LOG_FORKED');
  expect(() => faultOf(new Error('the disk fails'))).toThrow('the disk fails');
});
