/** Receipts: what is true is proved, and whatever was changed is found out by name. */
import { describe, expect, test } from '@jest/globals';
import { verifyReceipt } from '../../src/verify/receipt.ts';
import {
  bodyOf,
  inclusionOf,
  leafOf,
  logSigner,
  noteOf,
  receiptOf,
  recordText,
  recordTexts,
  witnessSigner,
} from '../support/small_log.ts';
import { LOG, outcome, trustIn } from './fixture.ts';

const ENTRIES = recordTexts(7);
const WITNESS = witnessSigner('witness.example/w1');
const TRUST = trustIn(LOG, [WITNESS]);
const RECEIPT = receiptOf(ENTRIES, [LOG, WITNESS], { index: 3 });
const judge = (bytes: Uint8Array) => outcome(verifyReceipt(bytes, TRUST));
const edited = (from: string | RegExp, to: string) =>
  judge(Buffer.from(RECEIPT.toString().replace(from, to)));

test('a true receipt yields its record, its log and who cosigned it when', () => {
  const found = verifyReceipt(RECEIPT, TRUST);
  if (!found.ok) throw new Error(found.fault.code);
  const { record, checkpoint } = found.value;
  expect(record).toEqual(JSON.parse(ENTRIES[3] as string));
  expect([checkpoint.origin, checkpoint.size]).toEqual(['example.com/log', 7]);
  expect(checkpoint.cosignatures.map(({ key, time_s }) => [key.name, time_s])).toEqual([
    ['witness.example/w1', 1_800_000_000],
  ]);
});

test.each([...ENTRIES.keys()])('the receipt of entry %d is true', (index) => {
  expect(judge(receiptOf(ENTRIES, [LOG, WITNESS], { index }))).toBe(true);
});

test('the only record of a log has a receipt without a path', () => {
  expect(judge(receiptOf(ENTRIES.slice(0, 1), [LOG, WITNESS], { index: 0 }))).toBe(true);
});

test('each bit of a receipt counts: with any one flipped it is false', () => {
  const accepted = [];
  for (let at = 0; at < RECEIPT.length; at += 1) {
    for (let bit = 1; bit < 256; bit *= 2) {
      const changed = Buffer.from(RECEIPT);
      changed.writeUInt8(changed.readUInt8(at) ^ bit, at);
      if (judge(changed) === true) accepted.push([at, bit]);
    }
  }
  expect(accepted).toEqual([]);
});

test('each byte of a receipt counts: with any one dropped or doubled it is false', () => {
  const accepted = [];
  for (let at = 0; at < RECEIPT.length; at += 1) {
    const [before, from] = [RECEIPT.subarray(0, at), RECEIPT.subarray(at)];
    if (judge(Buffer.concat([before, from.subarray(1)])) === true) accepted.push(['dropped', at]);
    if (judge(Buffer.concat([before, from.subarray(0, 1), from])) === true) {
      accepted.push(['doubled', at]);
    }
    if (judge(before) === true) accepted.push(['cut', at]);
  }
  expect(accepted).toEqual([]);
});

describe('each field of the record counts', () => {
  const record = JSON.parse(ENTRIES[3] as string) as Record<string, unknown>;
  const texts = Object.keys(record).map((name): [string, string] => {
    const { [name]: _gone, ...others } = record;
    return [name, JSON.stringify(others)];
  });
  const changed = Object.entries(record).map(([name, value]): [string, string] => [
    name,
    JSON.stringify({ ...record, [name]: other(value) }),
  ]);

  test.each(texts)('without %s it is not what the log holds', (_name, text) => {
    expect(judge(receiptOf(ENTRIES, [LOG, WITNESS], { index: 3, record: text }))).toBe(
      'INCLUSION_FALSE',
    );
  });

  test.each(changed)('with another %s it is not what the log holds', (_name, text) => {
    expect(text).not.toBe(ENTRIES[3]);
    expect(judge(receiptOf(ENTRIES, [LOG, WITNESS], { index: 3, record: text }))).toBe(
      'INCLUSION_FALSE',
    );
  });

  function other(value: unknown): unknown {
    if (typeof value === 'boolean') return !value;
    if (typeof value === 'number') return value + 1;
    if (typeof value === 'string') return `${value} `;
    return { ...(value as object), more: 1 };
  }
});

test.each([
  ['another first line', /@v1/, '@v2', 'PROOF_MALFORMED'],
  ['no index', /index 3\n/, '', 'PROOF_MALFORMED'],
  ['a zero before the index', /index 3/, 'index 03', 'PROOF_MALFORMED'],
  ['an index beyond every number', /index 3/, 'index 99999999999999999999', 'PROOF_MALFORMED'],
  ['extra data twice', /(extra .*\n)/, '$1$1', 'PROOF_MALFORMED'],
  ['carriage returns', /\n/g, '\r\n', 'PROOF_MALFORMED'],
  [
    'a path of more than 63',
    /(index 3\n)/,
    `$1${`${'A'.repeat(43)}=\n`.repeat(64)}`,
    'PROOF_MALFORMED',
  ],
  ['a hash too short', /(index 3\n)/, '$1AAAA\n', 'PROOF_MALFORMED'],
  ['an index outside', /index 3/, 'index 7', 'INCLUSION_FALSE'],
  ['the index of a neighbour', /index 3/, 'index 2', 'INCLUSION_FALSE'],
  ['no record', /extra .*\n/, '', 'RECORD_ABSENT'],
  ['no checkpoint', /\n\n[^]*/, '\n', 'PROOF_MALFORMED'],
  ['no signatures', /\n\n—[^]*/, '\n', 'NOTE_MALFORMED'],
  ['no signature of the log', /\n— example.com\/log .*/, '', 'LOG_SIGNATURE_ABSENT'],
  ['no cosignature', /\n— witness.*/, '', 'QUORUM_UNMET'],
])('%s', (_name, from, to, code) => {
  expect(edited(from, to)).toBe(code);
});

test('a path with hashes that are too many, too few, or swapped proves nothing', () => {
  const path = inclusionOf(3, ENTRIES.map(leafOf));
  const [first, second] = path as [Buffer, Buffer];
  for (const wrong of [[...path, first], path.slice(1), path.slice(0, -1), [], [second, first]]) {
    expect(judge(receiptOf(ENTRIES, [LOG, WITNESS], { index: 3, path: wrong }))).toBe(
      'INCLUSION_FALSE',
    );
  }
});

describe('a checkpoint', () => {
  const withCheckpoint = (checkpoint: string) =>
    judge(receiptOf(ENTRIES, [], { index: 3, checkpoint }));
  const body = bodyOf(ENTRIES, LOG.name);

  test('of another log is none of this one', () => {
    const other = logSigner('example.com/other');
    expect(withCheckpoint(noteOf(bodyOf(ENTRIES, other.name), [other, WITNESS]))).toBe(
      'LOG_UNKNOWN',
    );
  });

  test('that a namesake of the log signed is not signed', () => {
    const note = noteOf(body, [logSigner(LOG.name), WITNESS]);
    expect(withCheckpoint(note)).toBe('LOG_SIGNATURE_ABSENT');
  });

  test('of another log that the key of this one signed is none', () => {
    const note = noteOf(bodyOf(ENTRIES, 'example.com/other'), [LOG, WITNESS]);
    expect(withCheckpoint(note)).toBe('LOG_UNKNOWN');
  });

  test.each([
    ['of another tree', bodyOf(recordTexts(6), LOG.name), 'INCLUSION_FALSE'],
    ['with extension lines', `${body}more\n`, true],
    ['with an empty line', `${body}\nmore\n`, 'CHECKPOINT_MALFORMED'],
    ['with a zero before the size', body.replace('\n7\n', '\n07\n'), 'CHECKPOINT_MALFORMED'],
    ['with a size in words', body.replace('\n7\n', '\nseven\n'), 'CHECKPOINT_MALFORMED'],
    [
      'with a size that no double holds',
      body.replace('\n7\n', '\n9007199254740993\n'),
      'CHECKPOINT_MALFORMED',
    ],
    ['with a short root', `${LOG.name}\n7\nAAAA\n`, 'CHECKPOINT_MALFORMED'],
    ['of two lines', `${LOG.name}\n7\n`, 'CHECKPOINT_MALFORMED'],
    ['without origin', body.replace(LOG.name, ''), 'CHECKPOINT_MALFORMED'],
  ])('%s', (_name, text, code) => {
    expect(withCheckpoint(noteOf(text, [LOG, WITNESS]))).toBe(code);
  });

  test('with a cosignature over another tree is refused, whoever else signed', () => {
    const note = `${noteOf(body, [LOG, WITNESS])}${WITNESS.sign(bodyOf(recordTexts(6), LOG.name))}`;
    expect(withCheckpoint(note)).toBe('SIGNATURE_INVALID');
  });

  test('with the cosignature of a stranger in the place of the witness is refused', () => {
    const stranger = witnessSigner(WITNESS.name);
    expect(withCheckpoint(noteOf(body, [LOG, stranger]))).toBe('QUORUM_UNMET');
  });
});

describe('what a log signed and should not have', () => {
  const lying = (entry: string) =>
    judge(receiptOf(ENTRIES.with(3, entry), [LOG, WITNESS], { index: 3 }));

  test.each([
    ['no JSON', 'text', 'RECORD_INVALID'],
    ['a name twice', recordText(3).replace('{"caller"', '{"v":1,"caller"'), 'RECORD_INVALID'],
    ['spaces', recordText(3).replace(',', ', '), 'RECORD_INVALID'],
    ['another order', '{"v":1,"index":3}', 'RECORD_INVALID'],
    ['no record', '{"index":3}', 'RECORD_INVALID'],
    ['a member too many', recordText(3).replace(',"v":1', ',"v":1,"w":1'), 'RECORD_INVALID'],
    ['another index', recordText(4), 'RECORD_MISPLACED'],
  ])('%s', (_name, entry, code) => {
    expect(lying(entry)).toBe(code);
  });
});

test('a receipt beyond the limit is not looked at', () => {
  expect(judge(Buffer.alloc(91_478_489))).toBe('TOO_LARGE');
  expect(judge(Buffer.alloc(0))).toBe('PROOF_MALFORMED');
});
