/** Signed notes, against the examples of C2SP signed-note and against what is not one. */
import { describe, expect, test } from '@jest/globals';
import {
  formatSigner,
  openNote,
  parseSigner,
  parseVerifier,
  signNote,
} from '../../../src/evidence/tree/note.ts';
import { signerOf } from '../../support/evidence_log.ts';

/** The example of the specification. */
const PUBLISHED_KEY = 'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k';
const PUBLISHED_TEXT = 'This is an example message.\n';
const PUBLISHED_SIGNATURE =
  '— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXm' +
  'RKuwHjG1Yu72IneyaQM=\n';
const PUBLISHED = `${PUBLISHED_TEXT}\n${PUBLISHED_SIGNATURE}`;

const SIGNER = signerOf(1);
const OTHER = signerOf(2);
const NOTE = signNote('a text\n', [SIGNER]);

test('the note that the specification shows opens with the key that it shows', () => {
  const verifier = parseVerifier(PUBLISHED_KEY)!;
  expect(verifier).toMatchObject({ name: 'example.com/foo', id: '530d903a', vkey: PUBLISHED_KEY });
  expect(openNote(PUBLISHED, [verifier])).toEqual({ text: PUBLISHED_TEXT });
});

test('a key is read back from its text, and signs as before', () => {
  const text = formatSigner('log.example', Buffer.alloc(32, 9));
  expect(text).toMatch(/^PRIVATE\+KEY\+log\.example\+[0-9a-f]{8}\+AQkJCQ/);
  const note = signNote('x\n', [parseSigner(text)!]);
  expect(openNote(note, [parseSigner(text)!.verifier])).toEqual({ text: 'x\n' });
  expect(signNote('x\n', [parseSigner(text)!])).toBe(note);
});

test('every signature of a known key must hold, and one is enough', () => {
  const both = signNote('a text\n', [SIGNER, OTHER]);
  for (const keys of [[SIGNER.verifier], [OTHER.verifier], [OTHER.verifier, SIGNER.verifier]]) {
    expect(openNote(both, keys)).toEqual({ text: 'a text\n' });
  }
  const forged = NOTE + signNote('other text\n', [OTHER]).split('\n\n')[1]!;
  expect(openNote(forged, [SIGNER.verifier])).toEqual({ text: 'a text\n' });
  expect(openNote(forged, [SIGNER.verifier, OTHER.verifier])).toEqual({ fault: 'false' });
});

test('a note with a byte flipped is refused, whichever it is', () => {
  const bytes = Buffer.from(NOTE);
  for (const [at, byte] of bytes.entries()) {
    for (const flip of [1, 0x20, 0x80]) {
      const changed = Buffer.from(bytes);
      changed[at] = byte ^ flip;
      expect({ at, opened: openNote(changed.toString('utf8'), [SIGNER.verifier]) }).toEqual({
        at,
        opened: { fault: expect.any(String) },
      });
    }
  }
});

describe('is no note', () => {
  test.each([
    ['nothing', ''],
    ['a text alone', 'a text\n'],
    ['a note without signatures', 'a text\n\n'],
    ['a note that breaks off', NOTE.slice(0, -1)],
    ['a signature without its dash', NOTE.replace('— ', '- ')],
    ['a signature with a text before its dash', NOTE.replace('— ', 'x— ')],
    ['a signature without a text', `x${NOTE.split('\n\n')[1]}`],
    ['a signature with a word more', NOTE.replace(/\n$/, ' more\n')],
    ['a line after the signatures', `${NOTE}\n`],
    ['a signature in another spelling', respelled(NOTE)],
  ])('%s', (_name, note) => {
    expect(openNote(note, [SIGNER.verifier])).toEqual({ fault: 'malformed' });
  });
});

/** With the bits of the last character that count for nothing. */
function respelled(note: string): string {
  const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
  return note.replace(/(.)=\n$/, (_, last: string) => `${ALPHABET[ALPHABET.indexOf(last) + 1]}=\n`);
}

test.each([66, 67, 68])('a signature of %i bytes by an unknown key does not matter', (bytes) => {
  const line = `— other ${Buffer.alloc(bytes, 7).toString('base64')}\n`;
  expect(openNote(NOTE + line, [SIGNER.verifier])).toEqual({ text: 'a text\n' });
});

test('a note of a key that is not known is unsigned', () => {
  expect(openNote(NOTE, [OTHER.verifier])).toEqual({ fault: 'unsigned' });
  expect(openNote(NOTE, [])).toEqual({ fault: 'unsigned' });
});

describe('is no key', () => {
  const [, key = ''] = PUBLISHED_KEY.split('+530d903a+');
  test.each([
    ['nothing', ''],
    ['another id', `example.com/foo+530d903b+${key}`],
    ['another name', `example.com/fop+530d903a+${key}`],
    ['a name with a space', `a b+530d903a+${key}`],
    ['a key that is too short', 'example.com/foo+530d903a+AekyeQ=='],
    ['another type', `example.com/foo+530d903a+Bi${key.slice(2)}`],
    ['base64 that has another form', `${PUBLISHED_KEY}=`],
    ['something after it', `${PUBLISHED_KEY}\n`],
  ])('%s', (_name, vkey) => {
    expect(parseVerifier(vkey)).toBeUndefined();
  });

  const PRIVATE = formatSigner('log.example', Buffer.alloc(32, 9));
  test.each([
    ['nothing', ''],
    ['a public key', PUBLISHED_KEY],
    ['a private key under another name', PRIVATE.replace('log.example', 'log.exampld')],
    ['a private key cut short', PRIVATE.slice(0, -8)],
    ['a private key with a text before it', `x${PRIVATE}`],
    ['a private key with a text behind it', `${PRIVATE} x`],
    ['a private key of another type', PRIVATE.replace('+AQ', '+Bg')],
  ])('%s signs nothing', (_name, text) => {
    expect(parseSigner(text)).toBeUndefined();
  });
});
