/** What Go's sumdb packages make is accepted, and what they refuse is refused. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from '@jest/globals';
import { ED25519, parseVerifierKey } from '../../src/verify/key.ts';
import { isConsistent, isIncluded, leafHash } from '../../src/verify/merkle.ts';
import { parseNote } from '../../src/verify/note.ts';
import { knownSignatures } from '../../src/verify/signature.ts';
import { prerequisite } from '../support/prerequisite.ts';
import { bodyOf, logSigner, noteOf, recordTexts } from '../support/small_log.ts';

interface Answer {
  ok: boolean;
  skey?: string;
  vkey?: string;
  text?: string;
  root?: string;
  path?: string[];
}

const folder = mkdtempSync(join(tmpdir(), 'portcullis-go-'));
const program = join(folder, 'third_party');
const source = fileURLToPath(new URL('go', import.meta.url));
const built = spawnSync('go', ['build', '-o', program, '.'], { cwd: source, encoding: 'utf8' });
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function ask(jobs: readonly object[]): Answer[] {
  const { stdout, stderr } = spawnSync(program, {
    input: JSON.stringify(jobs),
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  expect(stderr).toBe('');
  return JSON.parse(stdout) as Answer[];
}

/** Whether we find a true signature of the key in the note. */
function opens(text: string, vkey: string): boolean {
  try {
    const key = parseVerifierKey(vkey, [ED25519]);
    return knownSignatures(parseNote(Buffer.from(text)), [key]).length > 0;
  } catch {
    return false;
  }
}

const bytes = (text: string): Buffer => Buffer.from(text, 'base64');
const LEAVES = Array.from({ length: 70 }, (_, at) => Buffer.from(`leaf ${at}`).toString('base64'));
const PLACES = [1, 2, 3, 6, 7, 8, 31, 33, 64, 70].flatMap((size) =>
  [0, 1, 2, size >> 1, size - 1].filter((at) => at < size).map((at) => ({ size, at })),
);

const needs_go = prerequisite('go', built.status === 0, 'install Go, with its module proxy');

needs_go('go judges notes:', () => {
  test('it opens our notes, and we open those that it signs', () => {
    const [key] = ask([{ Op: 'key', Name: 'example.com/log' }]) as [Answer];
    const { skey, vkey = '' } = key;
    const texts = ['text\n', 'a\n\nb\n', '\n', bodyOf(recordTexts(3), 'example.com/log'), 'é—\n'];
    const signed = ask(texts.map((Text) => ({ Op: 'sign', Skeys: [skey], Text })));
    expect(signed.map(({ text = '' }) => opens(text, vkey))).toEqual(texts.map(() => true));
    const own = logSigner('example.com/log');
    const notes = texts.map((Text) => ({
      Op: 'open',
      Vkeys: [own.vkey],
      Text: noteOf(Text, [own]),
    }));
    expect(ask(notes).map(({ ok }) => ok)).toEqual(texts.map(() => true));
  });

  test('it refuses no changed note that we accept', () => {
    const own = logSigner('example.com/log');
    const note = noteOf('text\n\nmore\n', [logSigner('other'), own]);
    const changed = [];
    for (let at = 0; at < note.length; at += 1) {
      for (const put of ['', 'A', '\n', ' ', '+', '\t', '—', note.charAt(at).repeat(2)]) {
        changed.push(note.slice(0, at) + put + note.slice(at + 1));
      }
    }
    const jobs = changed.map((Text) => ({ Op: 'open', Vkeys: [own.vkey], Text }));
    const answers = ask(jobs);
    const wrongly = changed.filter((text, at) => !answers[at]?.ok && opens(text, own.vkey));
    expect(wrongly).toEqual([]);
    expect(answers.filter(({ ok }) => !ok).length).toBeGreaterThan(1000);
  });

  test('it refuses the keys that we refuse', () => {
    const { vkey } = logSigner('example.com/log');
    const wrong = [
      vkey.replace('log+', 'lag+'),
      vkey.replace('+', ' '),
      vkey.slice(0, -4),
      vkey.toUpperCase(),
      `${vkey}AAAA`,
    ];
    const jobs = [vkey, ...wrong].map((key) => ({ Op: 'open', Vkeys: [key], Text: 'text\n\n' }));
    const parses = (key: string): boolean => {
      try {
        return parseVerifierKey(key, [ED25519]).type === ED25519;
      } catch {
        return false;
      }
    };
    expect(wrong.map(parses)).toEqual(wrong.map(() => false));
    expect(parses(vkey)).toBe(true);
    expect(ask(jobs).some(({ ok }) => ok)).toBe(false);
  });
});

needs_go('go judges trees:', () => {
  test('it makes proofs of inclusion that we accept, and judges changed ones as we do', () => {
    const made = ask(
      PLACES.map(({ size, at }) => ({ Op: 'include', Leaves: LEAVES, Size: size, Index: at })),
    );
    const jobs = PLACES.flatMap(({ size, at }, place) => {
      const { path = [], root } = made[place] as Answer;
      const leaf = leafHash(bytes(LEAVES[at] as string)).toString('base64');
      const job = {
        Op: 'check_include',
        Size: size,
        Root: root,
        Index: at,
        Leaf: leaf,
        Path: path,
      };
      return [
        job,
        ...changedPaths(path).map((Path) => ({ ...job, Path })),
        { ...job, Index: size - 1 - at },
      ];
    });
    const ours = jobs.map(({ Size, Root, Index, Leaf, Path }) =>
      isIncluded({ index: Index, hash: bytes(Leaf) }, Path.map(bytes), {
        size: Size,
        root: bytes(Root as string),
      }),
    );
    expect(ours).toEqual(ask(jobs).map(({ ok }) => ok));
    expect(ours.filter((ok) => ok).length).toBeGreaterThanOrEqual(PLACES.length);
  });

  test('it makes proofs of consistency that we accept, and judges changed ones as we do', () => {
    const places = PLACES.map(({ size, at }) => ({ size, old: at + 1 }));
    const made = ask(
      places.map(({ size, old }) => ({ Op: 'begin', Leaves: LEAVES, Size: size, Old: old })),
    );
    const before = ask(
      places.map(({ old }) => ({ Op: 'begin', Leaves: LEAVES, Size: old, Old: old })),
    );
    const jobs = places.flatMap(({ size, old }, place) => {
      const { path = [], root } = made[place] as Answer;
      const job = {
        Op: 'check_begin',
        Size: size,
        Root: root as string,
        Old: old,
        Before: before[place]?.root as string,
        Path: path,
      };
      return [job, ...changedPaths(path).map((Path) => ({ ...job, Path }))];
    });
    const ours = jobs.map(({ Size, Root, Old, Before, Path }) =>
      isConsistent(
        { size: Old, root: bytes(Before) },
        { size: Size, root: bytes(Root) },
        Path.map(bytes),
      ),
    );
    expect(ours).toEqual(ask(jobs).map(({ ok }) => ok));
    expect(ours.filter((ok) => ok).length).toBeGreaterThanOrEqual(places.length);
  });
});

/** One hash more, fewer, changed, and two swapped. */
function changedPaths(path: readonly string[]): string[][] {
  const other = leafHash(Buffer.from('another')).toString('base64');
  const [first = other, second = other] = path;
  return [
    [...path, other],
    [other, ...path],
    path.slice(1),
    path.slice(0, -1),
    path.map((hash, at) => (at === 0 ? other : hash)),
    path.map((hash, at) => (at === 0 ? second : at === 1 ? first : hash)),
  ];
}
