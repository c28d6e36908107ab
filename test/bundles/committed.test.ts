import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { expect, test } from '@jest/globals';
import { BUNDLES } from '../../scripts/bundles.ts';
import { readBundle } from '../../src/bundle/bundle.ts';
import { unpack, writeBundle } from '../../src/bundle/files.ts';
import { readPolicySources } from '../../src/cli/policy_tools.ts';
import { buildPolicy } from '../../src/toolchain/build.ts';
import { describeWithOpa, opa } from '../support/toolchain.ts';
import { DEFAULTS } from '../support/defaults.ts';

const CASES = Object.entries(BUNDLES);

test.each(CASES)('%s is what %s was built from', (folder, file) => {
  const { manifest } = readBundle(unpack(readFileSync(file), DEFAULTS.policy));
  const { digest } = readPolicySources(folder, {}, DEFAULTS.policy);
  expect(manifest.portcullis?.sources_digest).toBe(digest);
});

describeWithOpa('committed bundles', () => {
  test.each(CASES)('%s builds to the bytes of %s', async (folder, file) => {
    const { files } = await buildPolicy(opa, readPolicySources(folder, {}, DEFAULTS.policy));
    // Below compression, which may differ from one processor to another.
    const [built, committed] = [gunzipSync(writeBundle(files)), gunzipSync(readFileSync(file))];
    expect(Buffer.compare(built, committed)).toBe(0);
  });
});
