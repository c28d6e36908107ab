/** What a witness remembers, when it is killed, doubled, damaged or cannot write. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { PortcullisError } from '../../src/errors.ts';
import { newSigningKey, openCosigner } from '../../src/witness/cosigner.ts';
import { openWitnessState, type WitnessState } from '../../src/witness/state.ts';
import { bodyOf, recordText, recordTexts } from '../support/small_log.ts';
import {
  cosignedAt,
  freshFolder,
  KEY_TEXT,
  LOG,
  openScene,
  post,
  serveScene,
  submission,
  witnessOver,
} from './fixture.ts';

const FIVE = recordTexts(5);
const PROGRAM = fileURLToPath(new URL('dying_witness_process.ts', import.meta.url));

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

/** A process that dies at the moment that is named; resolves with its URL. */
async function startDying(folder: string, moment: string): Promise<[string, Promise<unknown>]> {
  const child = spawn(process.execPath, [PROGRAM, folder, LOG.vkey, KEY_TEXT.trim(), moment], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  const ended = once(child, 'exit');
  const [chunk] = (await once(child.stdout, 'data')) as [Buffer];
  return [chunk.toString().trim(), ended];
}

describe('a witness that is killed', () => {
  test('after it stored and before it answered stands by what it stored', async () => {
    const folder = freshFolder();
    const [url, ended] = await startDying(folder, 'stored');
    await expect(post(url, submission(0, FIVE))).rejects.toThrow('fetch failed');
    expect(await ended).toEqual([null, 'SIGKILL']);
    const scene = openScene({ folder });
    const again = await serveScene(scene);
    expect(scene.witness.latest(LOG.name)?.size).toBe(5);
    // A fork of the tree whose cosignature nobody got is refused all the same.
    const fork = FIVE.with(4, recordText(4, 'another'));
    expect(await post(again, submission(0, fork))).toEqual([409, '5\n']);
    expect((await post(again, submission(5, fork)))[0]).toBe(422);
    const [status, line] = await post(again, submission(5, FIVE));
    expect(status).toBe(200);
    expect(cosignedAt(line, bodyOf(FIVE, LOG.name), scene.cosigner)).toBeDefined();
  });

  test('before it stored has promised nothing', async () => {
    const folder = freshFolder();
    const [url, ended] = await startDying(folder, 'unstored');
    await expect(post(url, submission(0, FIVE))).rejects.toThrow('fetch failed');
    await ended;
    const scene = openScene({ folder });
    expect(scene.witness.latest(LOG.name)).toBeUndefined();
  });

  test('frees its state, which it had for itself', async () => {
    const folder = freshFolder();
    const [, ended] = await startDying(folder, 'stored');
    expect(() => openWitnessState(folder)).toThrow(
      expect.objectContaining({ code: 'EVIDENCE_LOCKED' }),
    );
    children[0]?.kill('SIGKILL');
    await ended;
    openWitnessState(folder).close();
  });
});

test('a state that is open is not opened again', () => {
  const folder = freshFolder();
  openScene({ folder });
  expect(() => openScene({ folder })).toThrow(expect.objectContaining({ code: 'EVIDENCE_LOCKED' }));
});

test('what could not be stored is not cosigned', async () => {
  const scene = openScene({
    around: (state) => ({
      ...state,
      store: () => {
        throw new Error('the disk is full');
      },
    }),
  });
  const url = await serveScene(scene);
  const [status, text] = await post(url, submission(0, FIVE));
  expect(status).toBe(500);
  expect(text).not.toContain('—');
  expect(scene.witness.latest(LOG.name)).toBeUndefined();
});

test('the note is in the state when the cosignature is made known', async () => {
  const seen: (string | undefined)[] = [];
  const scene = openScene({
    around: (state) => ({
      ...state,
      store: (origin, note) => {
        state.store(origin, note);
        seen.push(state.latest(origin));
      },
    }),
  });
  const [, line] = await post(await serveScene(scene), submission(0, FIVE));
  expect(seen).toHaveLength(1);
  expect(seen[0]).toContain(line);
});

describe('a state that is damaged', () => {
  test('by another note is not believed', () => {
    const scene = openScene();
    scene.witness.add({ old_size: 0, path: [], checkpoint: Buffer.from(noteOfFive()) });
    const stored = scene.state.latest(LOG.name) as string;
    for (const wrong of [stored.replace('\n5\n', '\n4\n'), noteOfFive(), '', 'text']) {
      scene.state.store(LOG.name, wrong);
      expect(() => scene.witness.latest(LOG.name)).toThrow(
        expect.objectContaining({ code: 'EVIDENCE_DAMAGED' }),
      );
      const submitted = { old_size: 5, path: [], checkpoint: Buffer.from(noteOfFive()) };
      expect(() => scene.witness.add(submitted)).toThrow(
        expect.objectContaining({ code: 'EVIDENCE_DAMAGED' }),
      );
    }
  });

  test('in its bytes is refused, or says what it said', () => {
    const folder = freshFolder();
    const path = join(folder, 'witness.db');
    const state = openWitnessState(folder);
    const submitted = { old_size: 0, path: [], checkpoint: Buffer.from(noteOfFive()) };
    witnessOver(state).witness.add(submitted);
    state.close();
    const whole = readFileSync(path);
    // What SQLite does not use is zero; of the rest some, since each is opened and read anew.
    const used = [...whole.entries()].filter(([, byte]) => byte !== 0);
    const said = used
      .filter((_, count) => count % 17 === 0)
      .map(([at, byte]) => {
        writeFileSync(path, Buffer.from(whole).fill(byte ^ 0xff, at, at + 1));
        return whatIsSaid(folder);
      });
    const tree = bodyOf(FIVE, LOG.name);
    expect(said).toContain('EVIDENCE_DAMAGED');
    const expected = [tree, 'EVIDENCE_'];
    expect(said.filter((each) => !expected.some((start) => each.startsWith(start)))).toEqual([]);
  });

  test('in the number of its rows is not taken for an empty one', () => {
    const folder = freshFolder();
    const path = join(folder, 'witness.db');
    const state = openWitnessState(folder);
    state.store(LOG.name, noteOfFive());
    state.close();
    // The second page is the table; two bytes of its header say how many rows it has (SQLite file
    // format, section 1.6).
    const bytes = readFileSync(path);
    expect(bytes.readUInt16BE(4096 + 3)).toBe(1);
    bytes.writeUInt16BE(0, 4096 + 3);
    writeFileSync(path, bytes);
    expect(whatIsSaid(folder)).toBe('EVIDENCE_DAMAGED');
  });

  test('in the name of a log is not taken for a log that was never seen', () => {
    const state = openWitnessState(freshFolder());
    const { witness } = witnessOver(state);
    witness.add({ old_size: 0, path: [], checkpoint: Buffer.from(noteOfFive()) });
    const whole: WitnessState = {
      ...state,
      origins: () => ['example.com/lag'],
      latest: (origin) => (origin === 'example.com/lag' ? state.latest(LOG.name) : undefined),
    };
    expect(() => witnessOver(whole)).toThrow(expect.objectContaining({ code: 'EVIDENCE_DAMAGED' }));
    state.close();
  });

  /** The note of the log, the code of the error, or that there is nothing. */
  function whatIsSaid(folder: string): string {
    let state: WitnessState | undefined;
    try {
      state = openWitnessState(folder);
      const { witness } = witnessOver(state);
      return witness.latest(LOG.name)?.note ?? 'nothing';
    } catch (error) {
      return (error as PortcullisError).code;
    } finally {
      state?.close();
    }
  }

  test('as a file is refused', () => {
    const folder = freshFolder();
    openWitnessState(folder).close();
    const path = join(folder, 'witness.db');
    const whole = readFileSync(path);
    for (const wrong of [
      Buffer.from('no database at all, but a text'.repeat(40)),
      scribbled(whole),
    ]) {
      writeFileSync(path, wrong);
      expect(() => openWitnessState(folder)).toThrow(
        expect.objectContaining({ code: 'EVIDENCE_DAMAGED' }),
      );
    }
  });

  const noteOfFive = (): string => submission(0, FIVE).split('\n\n').slice(1).join('\n\n');
  const scribbled = (bytes: Buffer): Buffer => Buffer.from(bytes).fill(0xa5, 100, 4096);
});

test('a folder that cannot be made is named', () => {
  const file = join(freshFolder(), 'file');
  writeFileSync(file, '');
  expect(() => openWitnessState(join(file, 'state'))).toThrow(
    expect.objectContaining({ code: 'EVIDENCE_UNWRITABLE' }),
  );
});

test('the tree that was cosigned last survives the end of the process', () => {
  const folder = freshFolder();
  const state = openWitnessState(folder);
  state.store('a', 'one');
  state.store('a', 'two');
  state.close();
  const again = openWitnessState(folder);
  expect([again.latest('a'), again.latest('b')]).toEqual(['two', undefined]);
  again.close();
});

describe('the key of a witness', () => {
  test('is read as it was written', () => {
    expect(openCosigner(KEY_TEXT)?.key.name).toBe('witness.example/w1');
    expect(newSigningKey('w')).not.toBe(newSigningKey('w'));
  });

  test.each(['', 'text', KEY_TEXT.replace('w1', 'w2'), KEY_TEXT.slice(0, -3), `${KEY_TEXT}\n`])(
    '%j is none',
    (text) => {
      expect(openCosigner(text)).toBeUndefined();
    },
  );

  test.each(['', 'two words', 'a+b', 'a\nb'])('a witness is not named %j', (wrong) => {
    expect(() => newSigningKey(wrong)).toThrow(
      expect.objectContaining({ code: 'ARGUMENT_INVALID' }),
    );
  });
});
