/** The key of the evidence log: made once, kept private, and refused where it is not one. */
import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { openEvidence } from '../../src/cli/open_evidence.ts';
import { loadConfiguration } from '../../src/config/load.ts';
import type { Configuration } from '../../src/config/types.gen.ts';
import { formatSigner, openNote, parseSigner } from '../../src/evidence/tree/note.ts';
import { recordingLogger, temporaryDirectory } from '../support/evidence_log.ts';

const ORIGIN = 'portcullis/payments/main';
const LOG = recordingLogger([]);

function configured(evidence: object = {}): Configuration {
  return loadConfiguration({
    names: { server: 'payments', instance: 'main' },
    overrides: { state: join(temporaryDirectory(), 'state'), evidence },
    cwd: '/nowhere',
    variables: { HOME: '/nobody' },
  });
}

/** Opens and closes the log; its last checkpoint. */
async function checkpointOf(configuration: Configuration): Promise<string> {
  const log = await openEvidence(configuration, LOG);
  await log.close();
  return log.tree.checkpoint();
}

test('a key is made where there is none, for this user only, and used from then on', async () => {
  const configuration = configured();
  const { key_file } = configuration.evidence;
  const note = await checkpointOf(configuration);
  expect(note).toMatch(new RegExp(`^${ORIGIN}\n0\n`));
  expect(statSync(key_file).mode & 0o777).toBe(0o600);
  const text = readFileSync(key_file, 'utf8');
  const { verifier } = parseSigner(text.trimEnd())!;
  expect(openNote(note, [verifier])).toHaveProperty('text');
  expect(await checkpointOf(configuration)).toBe(note);
  expect(readFileSync(key_file, 'utf8')).toBe(text);
  expect(await checkpointOf(configured())).not.toBe(note);
});

test('no key is made where the log itself cannot be opened', async () => {
  const configuration = configured();
  const { evidence } = configuration;
  const taken = { ...evidence, directory: '/dev/null/evidence' };
  await expect(openEvidence({ ...configuration, evidence: taken }, LOG)).rejects.toMatchObject({
    code: 'EVIDENCE_UNWRITABLE',
  });
  expect(existsSync(evidence.key_file)).toBe(false);
});

test('two keys in the file both sign', async () => {
  const configuration = configured();
  const { key_file } = configuration.evidence;
  await checkpointOf(configuration);
  const second = formatSigner(ORIGIN, Buffer.alloc(32, 2));
  writeFileSync(key_file, `${readFileSync(key_file, 'utf8')}${second}\n`);
  const note = await checkpointOf(configuration);
  for (const line of readFileSync(key_file, 'utf8').trimEnd().split('\n')) {
    expect(openNote(note, [parseSigner(line)!.verifier])).toHaveProperty('text');
  }
});

test.each<[string, (file: string) => void, RegExp]>([
  ['is open to others', (file) => chmodSync(file, 0o640), /is open to others \(run: chmod 600 /],
  ['is empty', (file) => writeFileSync(file, ''), /cannot be used: line 1 is no key; move it away/],
  [
    'holds something else on its second line',
    (file) => writeFileSync(file, `${readFileSync(file, 'utf8')}my secret\n`),
    /cannot be used: line 2 is no key; move it away/,
  ],
  [
    'is for another log',
    (file) => writeFileSync(file, formatSigner('x.example', Buffer.alloc(32, 2))),
    /it is for the log `x\.example`, and evidence\.origin is `portcullis\/payments\/main`/,
  ],
])(
  'a key file that %s is refused, and what it holds is not told',
  async (_how, change, message) => {
    const configuration = configured();
    await checkpointOf(configuration);
    change(configuration.evidence.key_file);
    await expect(openEvidence(configuration, LOG)).rejects.toMatchObject({
      code: 'CONFIGURATION_INVALID',
      message: expect.stringMatching(message),
    });
    await expect(openEvidence(configuration, LOG)).rejects.not.toThrow(/PRIVATE|secret/);
  },
);

test('another origin is refused for an old log, and taken for a new one', async () => {
  const configuration = configured();
  await checkpointOf(configuration);
  const { evidence } = configuration;
  const renamed = { ...evidence, origin: 'x.example', key_file: `${evidence.key_file}.x` };
  await expect(checkpointOf({ ...configuration, evidence: renamed })).rejects.toMatchObject({
    code: 'EVIDENCE_DAMAGED',
    message: expect.stringContaining('is of the log `portcullis/payments/main`'),
  });
  const directory = `${evidence.directory}.x`;
  const moved = { ...configuration, evidence: { ...renamed, directory } };
  expect(await checkpointOf(moved)).toMatch(/^x\.example\n/);
});

test.each(['a b', 'a+b', 'a\nb', '', '/a', 'é', 'x'.repeat(513)])(
  'the origin %p is refused',
  (origin) => {
    expect(() => configured({ origin })).toThrow(/evidence\.origin/);
  },
);
