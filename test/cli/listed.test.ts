/** What a client was shown, and what its operator can prove of it. */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { EvidenceRecord } from '../../src/contract/types.gen.ts';
import { readEvidence } from '../../src/evidence/read.ts';
import { run } from './fixture.ts';
import { at, begin, end, keep } from './outcomes_fixture.ts';
import { Host, policyOf, wrapArguments } from './wrap_fixture.ts';

const OWN = fileURLToPath(new URL('wrapped_process.ts', import.meta.url));
const LOG = ['--log', ''];

beforeEach(() => {
  begin();
  LOG[1] = at('state', 'evidence');
});
afterEach(end);

async function listRecord(): Promise<EvidenceRecord> {
  for await (const record of readEvidence(at('state', 'evidence'))) {
    if (record.kind === 'discovery') return record;
  }
  throw new Error('no list is on record');
}

test('[D-12] a list is on record: policy, reader, shown, held back and why, receipt', async () => {
  const argv = [...wrapArguments(at(), policyOf({ secret: {} })), '--', process.execPath, OWN];
  const host = new Host(argv);
  keep({ close: () => host.process.kill('SIGKILL') });
  await host.greet();
  const answer = JSON.stringify(await host.ask(1, 'tools/list'));
  host.process.kill('SIGTERM');
  expect(await host.exited).toBe(0);

  const record = await listRecord();
  expect(record).toMatchObject({
    policy: { revision: expect.any(String), digest: expect.stringMatching(/^sha256:/) },
    request: { subject: { id: expect.any(String) }, action: 'tools/list' },
    catalogue_digest: expect.stringMatching(/^sha256:/),
    shown: [{ type: 'tool', id: 'secret' }],
  });
  const { withheld = [], grounds = [] } = record;
  expect(withheld.length).toBeGreaterThan(1);
  for (const { id, ground } of withheld) {
    expect(grounds[ground ?? -1]?.reason_code).toBe('ENVIRONMENT_BOUNDARY');
    expect(answer).not.toContain(`"${id}"`);
  }
  expect(answer).not.toContain('ENVIRONMENT_BOUNDARY');

  writeFileSync(
    at('receipt'),
    (await run('evidence', 'receipt', `${record.index}`, ...LOG)).stdout,
  );
  writeFileSync(at('key'), (await run('evidence', 'keys', ...LOG)).stdout);
  expect((await run('verify', at('receipt'), '--key', at('key'))).code).toBe(0);
});
