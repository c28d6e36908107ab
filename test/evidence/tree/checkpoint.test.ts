/** What a start asks of the checkpoint and of the list of keys beside the log. */
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { formatSigner, openNote, signNote } from '../../../src/evidence/tree/note.ts';
import { ORIGIN, openLog, signerOf, temporaryDirectory } from '../../support/evidence_log.ts';
import { fakeDisk } from '../../support/fake_disk.ts';
import { seededRandom } from '../../support/seeded_random.ts';
import { RECORDS, appendMany, copy, expectDamage, start } from './fixture.ts';

describe('a checkpoint that is not this log’s is refused', () => {
  const at = (directory: string): string => join(directory, 'checkpoint');

  test('of another origin, with both names', async () => {
    const directory = copy();
    const names = `\`${ORIGIN}\`, and evidence.origin is \`x.example\``;
    const message =
      `\`${at(directory)}\` is of the log ${names}: ` +
      'set that to the name of this log, or evidence.directory to another folder';
    await expectDamage(directory, message, {
      origin: 'x.example',
      signers: [signerOf(1, 'x.example')],
    });
  });

  test('of another key', async () => {
    const directory = copy();
    const text = readFileSync(at(directory), 'utf8').split('\n\n')[0]!;
    writeFileSync(at(directory), signNote(`${text}\n`, [signerOf(2)]));
    const fault = 'is signed by no key that the file `keys` beside it lists';
    await expectDamage(directory, `\`${at(directory)}\` ${fault}`);
  });

  test('of another log that has the same origin and key', async () => {
    const directory = copy();
    const other = temporaryDirectory();
    const log = await openLog(other, { instance: 'two' });
    await appendMany(log, 550);
    await log.close();
    cpSync(at(other), at(directory));
    await expectDamage(directory, /are not those of the checkpoint over 550: one of the records/);
  });

  test('with its size or root changed', async () => {
    const directory = copy();
    const note = readFileSync(at(directory), 'utf8');
    const fault = `\`${at(directory)}\` is not signed by the key that it names`;
    for (const changed of [note.replace('600', '599'), note.replace(/\n./g, '\nA')]) {
      writeFileSync(at(directory), changed);
      await expect(openLog(directory)).rejects.toMatchObject({ code: 'EVIDENCE_DAMAGED' });
    }
    writeFileSync(at(directory), note.replace('600', '599'));
    await expectDamage(directory, fault);
  });

  test.each([
    ['nothing', ''],
    ['zeros', '\0'.repeat(300)],
    ['half of it', 'evidence.example/tests\n600\n'],
    ['a gigabyte, of which nothing is read', 'x'.repeat(300_000)],
  ])('that holds %s', async (_what, text) => {
    const directory = copy();
    writeFileSync(at(directory), text);
    await expectDamage(directory, `\`${at(directory)}\` is not what was written`);
  });

  test.each([
    ['a line before', `more\n${ORIGIN}\n600\n${'A'.repeat(43)}=\n`],
    ['a line more', `${ORIGIN}\n600\n${'A'.repeat(43)}=\nmore\n`],
    ['a size that is none', `${ORIGIN}\n0600\n${'A'.repeat(43)}=\n`],
    ['a size beyond what is safe', `${ORIGIN}\n9999999999999999\n${'A'.repeat(43)}=\n`],
    ['a root that is too short', `${ORIGIN}\n600\nAAAA\n`],
  ])('that was signed over %s', async (_what, text) => {
    const directory = copy();
    writeFileSync(at(directory), signNote(text, [signerOf(1)]));
    await expectDamage(directory, `\`${at(directory)}\` is not what was written`);
  });

  test('that is missing, where one was signed', async () => {
    const directory = copy();
    rmSync(at(directory));
    const fault = 'is missing, and the log signed one before';
    await expectDamage(directory, `\`${at(directory)}\` ${fault}`);
  });
});

describe('the list of keys', () => {
  const at = (directory: string): string => join(directory, 'keys');

  test('names the key and where it began', async () => {
    const vkey = signerOf(1).verifier.vkey;
    expect(readFileSync(at(copy()), 'utf8')).toBe(`0 ${vkey}\n`);
  });

  test('keeps the old key, and a new one begins with its first checkpoint', async () => {
    const directory = copy();
    const [old, young] = [signerOf(1), signerOf(2)];
    expect(await start(directory, { signers: [young] })).toEqual([
      {
        level: 'warn',
        message: 'the evidence log is signed by a new key from here on',
        fields: { directory, from: RECORDS, keys: [young.verifier.vkey] },
      },
    ]);
    expect(readFileSync(at(directory), 'utf8')).toBe(
      `0 ${old.verifier.vkey}\n${RECORDS} ${young.verifier.vkey}\n`,
    );
    const note = readFileSync(join(directory, 'checkpoint'), 'utf8');
    expect(openNote(note, [young.verifier])).toMatchObject({ text: expect.any(String) });
    expect(openNote(note, [old.verifier])).toEqual({ fault: 'unsigned' });
    expect(await start(directory, { signers: [young] })).toEqual([]);
    expect(await start(directory, { signers: [old] })).toEqual([]);
  });

  test('has two keys that both sign, while readers learn the new one', async () => {
    const directory = copy();
    const signers = [signerOf(1), signerOf(2)];
    await start(directory, { signers });
    const note = readFileSync(join(directory, 'checkpoint'), 'utf8');
    for (const { verifier } of signers) expect(openNote(note, [verifier])).toHaveProperty('text');
  });

  test('is demanded where there is a checkpoint', async () => {
    const directory = copy();
    rmSync(at(directory));
    const fault = 'is missing, and with it what checks the checkpoint';
    await expectDamage(directory, `\`${at(directory)}\` ${fault}`);
  });

  test.each([
    ['nothing', ''],
    ['a line that breaks off', `0 ${signerOf(1).verifier.vkey}`],
    ['no size', `${signerOf(1).verifier.vkey}\n`],
    ['a text before a size', `x0 ${signerOf(1).verifier.vkey}\n`],
    ['a word more', `0 ${signerOf(1).verifier.vkey} x\n`],
    ['a key that is none', '0 nobody+00000000+AAAA\n'],
    ['a private key', `0 ${formatSigner(ORIGIN, Buffer.alloc(32, 1))}\n`],
    ['keys that go back', `5 ${signerOf(1).verifier.vkey}\n4 ${signerOf(2).verifier.vkey}\n`],
  ])('is refused with %s in it', async (_what, text) => {
    const directory = copy();
    writeFileSync(at(directory), text);
    await expectDamage(directory, `\`${at(directory)}\` is not what was written`);
  });
});

test('a first start that was killed before it signed is gone on with', async () => {
  const quiet = fakeDisk(seededRandom(1));
  await openLog('/evidence', { files: quiet });
  for (let skip = 0; skip < quiet.changes; skip += 1) {
    const disk = fakeDisk(seededRandom(skip));
    disk.failAfter(skip, 'power_loss');
    await expect(openLog('/evidence', { files: disk })).rejects.toMatchObject({
      code: 'EVIDENCE_UNWRITABLE',
    });
    disk.restart('power_loss');
    const log = await openLog('/evidence', { files: disk });
    expect({ skip, size: log.tree.size }).toEqual({ skip, size: 0 });
    await log.close();
  }
});
