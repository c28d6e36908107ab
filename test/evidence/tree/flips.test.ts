/** Each byte of a small log, flipped: a start takes none of them. */
import { expect, test } from '@jest/globals';
import { ENTRY, openLog } from '../../support/evidence_log.ts';
import { fakeDisk } from '../../support/fake_disk.ts';
import { seededRandom } from '../../support/seeded_random.ts';

const RECORDS = 3;
/** Of the list of keys: the size at which the key began, which is told and not signed. */
const UNSIGNED = /^0(?= )/;

test.each(['0000000000000000.log', 'checkpoint', 'keys'])(
  'no byte of `%s` can be another',
  async (name) => {
    const files = fakeDisk(seededRandom(1));
    const log = await openLog('/evidence', { files });
    for (let index = 0; index < RECORDS; index += 1) {
      await log.append({ ...ENTRY, request: { subject: { id: 'user:zoë' }, action: 'x' } });
    }
    await log.close();

    const file = files.open(`/evidence/${name}`, 'write');
    const bytes = Buffer.alloc(file.size_bytes());
    await file.read(bytes, 0);
    const first = name === 'keys' ? UNSIGNED.exec(bytes.toString('latin1'))![0].length : 0;
    const taken: string[] = [];
    for (let at = first; at < bytes.length; at += 1) {
      for (const flip of [0x01, 0x10, 0x80]) {
        file.write(Buffer.of(bytes[at]! ^ flip), at);
        const outcome = await openLog('/evidence', { files }).then(
          () => 'taken',
          (error: { code: string }) => error.code,
        );
        if (outcome !== 'EVIDENCE_DAMAGED') taken.push(`${at} ^ ${flip}: ${outcome}`);
        // A start that took it may have cut something off.
        file.write(bytes, 0);
      }
    }
    expect(taken).toEqual([]);
    await (await openLog('/evidence', { files })).close();
  },
);
