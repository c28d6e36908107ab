import { describe, expect, test } from '@jest/globals';
import { digestOf, digestOfBytes, keyedDigestOf } from '../../src/contract/digest.ts';

const EMPTY = 'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
/** FIPS 180-4, the one-block sample of SHA-256. */
const ABC = 'sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';

describe('digestOfBytes', () => {
  test('is SHA-256', () => {
    expect(digestOfBytes('')).toBe(EMPTY);
    expect(digestOfBytes('abc')).toBe(ABC);
  });

  test('text and its UTF-8 bytes have one digest', () => {
    expect(digestOfBytes('é€😀')).toBe(digestOfBytes(Buffer.from('é€😀')));
  });
});

describe('digestOf', () => {
  test('is over canonical JSON', () => {
    expect(digestOf({ b: [1.0, -0], a: 'x' })).toBe(digestOfBytes('{"a":"x","b":[1,0]}'));
  });

  test('tells null, false, 0, the empty text and absence apart', () => {
    const digests = [{ a: null }, { a: false }, { a: 0 }, { a: '' }, {}].map(digestOf);
    expect(new Set(digests).size).toBe(5);
  });
});

/** What `printf '{"a":1}' | openssl dgst -sha256 -hmac key` prints. */
const MAC = '88a67f24bbcdaed0e6c997404bb79a743baf44c6bab2f4c27328e3009d22e342';

describe('keyedDigestOf', () => {
  const key = { id: 'k1', secret: Buffer.from('key') };

  test('names its key and is HMAC-SHA-256', () => {
    expect(keyedDigestOf(key, { a: 1 })).toBe(`hmac-sha256:k1:${MAC}`);
  });

  test('another key gives another digest', () => {
    const other = keyedDigestOf({ id: 'k1', secret: Buffer.from('other') }, { a: 1 });
    expect(other).not.toBe(keyedDigestOf(key, { a: 1 }));
  });
});
