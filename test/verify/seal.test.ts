/** Receipts with what a record seals, and without: whatever was changed is found out by name. */
import { describe, expect, test } from '@jest/globals';
import { verifyReceipt } from '../../src/verify/receipt.ts';
import { DISCLOSURES, receiptOf, recordTexts, sealedText } from '../support/small_log.ts';
import { LOG, outcome, trustIn } from './fixture.ts';

const TRUST = trustIn(LOG);
const [INTERNALS, REQUEST] = DISCLOSURES;

/** A receipt in a log whose entry 3 is this leaf. */
function receiptWith(leaf: string, disclosures: readonly string[]): Buffer {
  const record = [leaf, ...disclosures].join('\t');
  return receiptOf(recordTexts(7).with(3, leaf), [LOG], { index: 3, record });
}

const LEAF = sealedText(3, DISCLOSURES);
const judge = (disclosures: readonly string[], leaf = LEAF) =>
  outcome(verifyReceipt(receiptWith(leaf, disclosures), TRUST));

test.each([
  ['all', DISCLOSURES, []],
  ['one group', [REQUEST], ['internals']],
  ['the other', [INTERNALS], ['request']],
  ['nothing', [], ['internals', 'request']],
])('a receipt that discloses %s is true, and names what is sealed', (_what, disclosed, sealed) => {
  const found = verifyReceipt(receiptWith(LEAF, disclosed), TRUST);
  if (!found.ok) throw new Error(found.fault.code);
  expect(found.value.sealed).toEqual(sealed);
  const members = disclosed.map((text) => (JSON.parse(text) as [string, string, object])[2]);
  expect(found.value.record).toEqual(Object.assign(JSON.parse(LEAF) as object, ...members));
});

test('each bit of the disclosures counts: with any one flipped the receipt is false', () => {
  const whole = Buffer.from(receiptWith(LEAF, DISCLOSURES));
  const [, line = '', ...rest] = whole.toString().split('\n');
  const extra = Buffer.from(line.slice('extra '.length), 'base64');
  const accepted = [];
  for (let at = 0; at < extra.length; at += 1) {
    for (let bit = 1; bit < 256; bit *= 2) {
      const changed = Buffer.from(extra);
      changed.writeUInt8(changed.readUInt8(at) ^ bit, at);
      const lines = ['c2sp.org/tlog-proof@v1', `extra ${changed.toString('base64')}`, ...rest];
      if (outcome(verifyReceipt(Buffer.from(lines.join('\n')), TRUST)) === true) {
        accepted.push([at, bit]);
      }
    }
  }
  expect(accepted).toEqual([]);
});

describe('a receipt is false', () => {
  test.each<[string, readonly string[], string]>([
    ['with another value', [INTERNALS, REQUEST.replace('zo', 'za')], 'DISCLOSURE_FALSE'],
    ['with another salt', [INTERNALS.replace('0123', '0124')], 'DISCLOSURE_FALSE'],
    ['with the same group twice', [INTERNALS, INTERNALS], 'DISCLOSURE_MALFORMED'],
    ['with the groups in another order', [REQUEST, INTERNALS], 'DISCLOSURE_MALFORMED'],
    ['with nothing behind a tab', [''], 'DISCLOSURE_MALFORMED'],
    ['with no JSON', [`${INTERNALS} `.replace(']', '')], 'DISCLOSURE_MALFORMED'],
    ['with a line feed', [`${INTERNALS}\n`], 'DISCLOSURE_MALFORMED'],
    ['with an object', ['{"request":{}}'], 'DISCLOSURE_MALFORMED'],
    [
      'with a group that has no seal',
      ['["items","0123456789abcdefghij_-",{"shown":[]}]'],
      'DISCLOSURE_FALSE',
    ],
    [
      'with an unknown group',
      ['["outcome","0123456789abcdefghij_-",{"outcome":"allow"}]'],
      'DISCLOSURE_MALFORMED',
    ],
    [
      'with a group of every object',
      ['["constructor","0123456789abcdefghij_-",{}]'],
      'DISCLOSURE_MALFORMED',
    ],
  ])('%s', (_what, disclosures, code) => {
    expect(judge(disclosures)).toBe(code);
  });
});

describe('what a log sealed and should not have', () => {
  const salted = (group: string, members: string) =>
    `["${group}","0123456789abcdefghij_-",${members}]`;

  test.each([
    ['a member of another group', salted('internals', '{"request":{}}')],
    ['a member of no group', salted('internals', '{"outcome":"allow"}')],
    ['a member that does not fit the schema', salted('internals', '{"rules":1}')],
    ['a member twice', salted('internals', '{"detail":"a","detail":"b"}')],
    ['members in another order', salted('internals', '{"rules":[],"detail":"a"}')],
    ['spaces', salted('internals', '{"detail": "a"}')],
    ['no members', salted('internals', '[]')],
    ['nothing', salted('internals', 'null')],
    ['a short salt', '["internals","0123456789",{"rules":[]}]'],
    ['no salt', '["internals",{"rules":[]}]'],
    ['more parts', '["internals","0123456789abcdefghij_-",{"rules":[]},1]'],
  ])('%s is refused when it is disclosed', (_what, disclosure) => {
    const leaf = sealedText(3, [disclosure]);
    expect(judge([], leaf)).toBe(true);
    expect(judge([disclosure], leaf)).toBe('DISCLOSURE_MALFORMED');
  });

  test('a member that the record shows otherwise', () => {
    const disclosure = salted('internals', '{"rules":["b"]}');
    const leaf = sealedText(3, [disclosure], '"rules":["a"],');
    expect(judge([], leaf)).toBe(true);
    expect(judge([disclosure], leaf)).toBe('DISCLOSURE_MALFORMED');
  });

  test('under the name of a group that nobody knows', () => {
    const leaf = sealedText(3, [salted('outcome', '{}')]);
    expect(judge([], leaf)).toBe('RECORD_INVALID');
  });
});
