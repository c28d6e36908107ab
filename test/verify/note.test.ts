/** Notes, keys and signatures as C2SP signed-note and tlog-cosignature have them. */
import { sign, generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import {
  COSIGNATURE,
  ED25519,
  formatVerifierKey,
  ML_DSA_44,
  parseVerifierKey,
} from '../../src/verify/key.ts';
import { parseNote } from '../../src/verify/note.ts';
import { knownSignatures } from '../../src/verify/signature.ts';
import { logSigner, noteOf, sha256, witnessSigner } from '../support/small_log.ts';
import { outcomeOf } from './fixture.ts';

const ALL = [ED25519, COSIGNATURE, ML_DSA_44];
const signer = logSigner('example.com/foo');
const key = parseVerifierKey(signer.vkey, ALL);
const TEXT = 'one line\n\nand another\n';
const NOTE = noteOf(TEXT, [signer]);
const parsed = (text: string) => parseNote(Buffer.from(text));

// The example of the specification: its key, and its note.
const PUBLISHED_KEY = 'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k';
const PUBLISHED_NOTE =
  'This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONnc' +
  'AlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n';

test('the note that the specification gives as its example is signed by its key', () => {
  const published = parseVerifierKey(PUBLISHED_KEY, ALL);
  expect(formatVerifierKey(published)).toBe(PUBLISHED_KEY);
  const [found] = knownSignatures(parsed(PUBLISHED_NOTE), [published]);
  expect(found?.is_checked).toBe(true);
});

test('a note is split at its last empty line, and its signature is that of the text', () => {
  const note = parsed(NOTE);
  expect(note.text).toBe(TEXT);
  expect(knownSignatures(note, [key]).map(({ line }) => line)).toEqual([signer.sign(TEXT)]);
});

test.each([
  ['no signature', 'text\n'],
  ['no signature after the empty line', 'text\n\n'],
  ['an end without line feed', NOTE.slice(0, -1)],
  ['a carriage return', NOTE.replace('line\n', 'line\r\n')],
  ['a tab', NOTE.replace('one line', 'one\tline')],
  ['another dash', NOTE.replace('— ', '- ')],
  ['two spaces', NOTE.replace('— ', '—  ')],
  ['a plus in a name', NOTE.replace('example.com/foo', 'example.com+foo')],
  ['a no-break space in a name', NOTE.replace('example.com/foo', 'example.com\u00a0foo')],
  ['an empty name', NOTE.replace('example.com/foo', '')],
  ['a signature of four bytes', 'text\n\n— example.com/foo AAAAAA==\n'],
  ['no base64', NOTE.replace(/=\n$/, '\n')],
  ['stray bits in base64', PUBLISHED_NOTE.replace('aQM=', 'aQN=')],
  ['more signatures than are read', `text\n\n${signer.sign('text\n').repeat(101)}`],
])('%s is no note', (_name, text) => {
  expect(outcomeOf(() => parsed(text))).toBe('NOTE_MALFORMED');
});

test('bytes that are not UTF-8 are no note, and a note too long is not looked at', () => {
  const bytes = Buffer.from(NOTE);
  bytes[0] = 0xff;
  expect(outcomeOf(() => parseNote(bytes))).toBe('NOTE_MALFORMED');
  expect(outcomeOf(() => parseNote(Buffer.alloc(1_000_001, 'a')))).toBe('TOO_LARGE');
});

describe('signatures', () => {
  const stranger = logSigner('example.com/stranger');
  const namesake = logSigner('example.com/foo');

  test('as many as the specification demands are read', () => {
    const many = Array.from({ length: 16 }, (_, at) => logSigner(`example.com/${at}`));
    expect(parsed(noteOf(TEXT, many)).signatures).toHaveLength(16);
  });

  test('those of unknown keys are passed over, also under a known name', () => {
    const note = parsed(noteOf(TEXT, [stranger, namesake, signer]));
    expect(knownSignatures(note, [key])).toHaveLength(1);
    expect(knownSignatures(parsed(noteOf(TEXT, [stranger, namesake])), [key])).toEqual([]);
  });

  test('a false one of a known key spoils the note, beside a true one too', () => {
    const both = `${NOTE}${signer.sign('something else\n')}`;
    expect(outcomeOf(() => knownSignatures(parsed(both), [key]))).toBe('SIGNATURE_INVALID');
  });

  test('one that is cut short or goes on is false', () => {
    const bytes = Buffer.from((NOTE.trimEnd().split(' ').at(-1) as string) ?? '', 'base64');
    for (const wrong of [bytes.subarray(0, -1), Buffer.concat([bytes, Buffer.of(0)])]) {
      const note = parsed(`${TEXT}\n— example.com/foo ${wrong.toString('base64')}\n`);
      expect(outcomeOf(() => knownSignatures(note, [key]))).toBe('SIGNATURE_INVALID');
    }
  });

  test('a cosignature holds for its text and its second', () => {
    const witness = witnessSigner('witness.example/w1', 1_679_315_147);
    const known = parseVerifierKey(witness.vkey, [COSIGNATURE]);
    const [found] = knownSignatures(parsed(noteOf(TEXT, [witness])), [known]);
    expect(found?.time_s).toBe(1_679_315_147);
    const line = Buffer.from(witness.sign(TEXT).trimEnd().split(' ').at(-1) as string, 'base64');
    line.writeUInt8(line.readUInt8(11) ^ 1, 11);
    const moved = parsed(`${TEXT}\n— witness.example/w1 ${line.toString('base64')}\n`);
    expect(outcomeOf(() => knownSignatures(moved, [known]))).toBe('SIGNATURE_INVALID');
  });

  test('a plain signature is no cosignature, nor the other way round', () => {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    const raw = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32);
    const id = sha256(Buffer.from('w\n'), Buffer.of(4), raw).subarray(0, 4);
    const plain = Buffer.concat([id, sign(null, Buffer.from(TEXT), privateKey)]);
    const vkey = `w+${id.toString('hex')}+${Buffer.concat([Buffer.of(4), raw]).toString('base64')}`;
    const note = parsed(`${TEXT}\n— w ${plain.toString('base64')}\n`);
    const known = parseVerifierKey(vkey, [COSIGNATURE]);
    expect(outcomeOf(() => knownSignatures(note, [known]))).toBe('SIGNATURE_INVALID');
  });

  test('a time that no calendar has is false', () => {
    const late = witnessSigner('w', 253_402_300_800);
    const known = parseVerifierKey(late.vkey, [COSIGNATURE]);
    const note = parsed(noteOf(TEXT, [late]));
    expect(outcomeOf(() => knownSignatures(note, [known]))).toBe('SIGNATURE_INVALID');
  });

  test('ML-DSA-44 is recognised and reported as not checked', () => {
    const material = Buffer.concat([Buffer.of(6), Buffer.alloc(1312, 7)]);
    const id = sha256(Buffer.from('w\n'), material).subarray(0, 4);
    const known = parseVerifierKey(`w+${id.toString('hex')}+${material.toString('base64')}`, ALL);
    const line = Buffer.concat([id, Buffer.alloc(8 + 2420, 1)]).toString('base64');
    const [found] = knownSignatures(parsed(`${TEXT}\n— w ${line}\n`), [known]);
    expect(found).toEqual(expect.objectContaining({ key: known, is_checked: false }));
  });
});

describe('keys', () => {
  const [name = '', id = '', encoded = ''] = PUBLISHED_KEY.split('+');
  test.each([
    ['no parts', name],
    ['another id', `${name}+530d903b+${encoded}`],
    ['an id in capitals', `${name}+${id.toUpperCase()}+${encoded}`],
    ['a short id', `${name}+30d903a+${encoded}`],
    ['another name', `example.com/fop+${id}+${encoded}`],
    ['no name', `+${id}+${encoded}`],
    ['a space in the name', `exam ple+${id}+${encoded}`],
    ['a key cut short', `${name}+${id}+${encoded.slice(0, -4)}`],
    ['no key', `${name}+${id}+`],
    ['a line feed', `${PUBLISHED_KEY}\n`],
  ])('%s is no key', (_name, text) => {
    expect(outcomeOf(() => parseVerifierKey(text, ALL))).toBe('KEY_MALFORMED');
  });

  test('a key of another type is not taken for one that is asked for', () => {
    expect(outcomeOf(() => parseVerifierKey(PUBLISHED_KEY, [COSIGNATURE]))).toBe('KEY_UNSUITED');
    const ecdsa = `${name}+${id}+${Buffer.alloc(33, 2).toString('base64')}`;
    expect(outcomeOf(() => parseVerifierKey(ecdsa, ALL))).toBe('KEY_UNSUITED');
  });
});
