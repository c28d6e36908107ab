/** What the log writes is judged by those who share no code with it. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { ProvableLog } from '../../src/evidence/types.ts';
import type { Trust } from '../../src/verify/checkpoint.ts';
import { ED25519, parseVerifierKey } from '../../src/verify/key.ts';
import { verifyLog } from '../../src/verify/log.ts';
import { NO_WITNESSES } from '../../src/verify/policy.ts';
import { verifyReceipt } from '../../src/verify/receipt.ts';
import type { LogSource } from '../../src/verify/tiles.ts';
import { ENTRY, openLog, signerOf, temporaryDirectory } from '../support/evidence_log.ts';
import { outcome } from './fixture.ts';

/** Below, at and above what a tile holds, and where levels begin. */
const SIZES = [1, 5, 255, 256, 257, 700];

const trust: Trust = {
  logs: [parseVerifierKey(signerOf(1).verifier.vkey, [ED25519])],
  policy: NO_WITNESSES,
};

/** The files that tlog-tiles names, as the log makes them when they are asked for. */
function sourceOf({ tree }: ProvableLog): LogSource {
  const file = /^tile\/(\d+|entries)\/((?:x\d{3}\/)*\d{3})(?:\.p\/(\d+))?$/;
  return {
    async read(path) {
      if (path === 'checkpoint') return Buffer.from(tree.checkpoint());
      const [, level = '', place = '', width = '256'] = file.exec(path) ?? [];
      const index = Number(place.replaceAll(/[x/]/g, ''));
      if (level !== 'entries') return tree.tile(Number(level), index, Number(width));
      const bundle = await tree.entries(index, Number(width));
      return bundle && 'bytes' in bundle ? bundle.bytes : undefined;
    },
  };
}

/** Of a copy of a receipt whose record says something else. */
function outcomeWith(receipt: string, from: string, to: string): ReturnType<typeof outcome> {
  const changed = receipt.replace(/^extra (.*)$/m, (_line, extra: string) => {
    const record = Buffer.from(extra, 'base64').toString().replace(from, to);
    return `extra ${Buffer.from(record).toString('base64')}`;
  });
  return outcome(verifyReceipt(Buffer.from(changed), trust));
}

describe.each(SIZES)('a log of %i records', (size) => {
  let log: ProvableLog;
  let earlier: string;
  beforeAll(async () => {
    log = await openLog(temporaryDirectory());
    await log.append(ENTRY);
    await log.tree.sign();
    earlier = log.tree.checkpoint();
    await Promise.all(Array.from({ length: size - 1 }, () => log.append(ENTRY)));
    await log.tree.sign();
  });
  afterAll(() => log.close());

  test('gives receipts that are true, and false once a record is changed', async () => {
    for (const index of new Set([0, Math.floor(size / 2), size - 1])) {
      const receipt = (await log.tree.receiptOf(index)) ?? '';
      const judged = verifyReceipt(Buffer.from(receipt), trust);
      expect(judged).toMatchObject({
        ok: true,
        value: { record: { index, ...ENTRY }, sealed: [] },
      });
      expect(outcomeWith(receipt, '"start"', '"stop"')).toBe('INCLUSION_FALSE');
      expect(outcomeWith(receipt, 'engine', 'enginx')).toBe('DISCLOSURE_FALSE');
    }
  });

  test('gives receipts that are true and disclose nothing', async () => {
    const receipt = (await log.tree.receiptOf(size - 1, true)) ?? '';
    const judged = verifyReceipt(Buffer.from(receipt), trust);
    expect(judged).toMatchObject({ ok: true, value: { sealed: ['internals'] } });
    expect(judged.ok && judged.value.record).not.toHaveProperty('detail');
    expect(Buffer.from(receipt.split('\n')[1]!.slice(6), 'base64').includes('engine')).toBe(false);
  });

  test('[X-06] is proved whole, and to begin with the tree that was signed before', async () => {
    const since = Buffer.from(earlier);
    expect(outcome(await verifyLog(sourceOf(log), trust, { since }))).toBe(true);
    expect(outcome(await verifyLog(sourceOf(log), trust, { since, hashes_only: true }))).toBe(true);
  });
});
