/** A wrapped server that is used by somebody on this machine, who has no network at all. */
import { spawnSync } from 'node:child_process';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { privateFolder } from '../pdp/fixture.ts';
import { prerequisite } from '../support/prerequisite.ts';
import { Host, policyOf, wrapArguments } from './wrap_fixture.ts';

const SERVER = join(import.meta.dirname, 'wrapped_process.ts');

/** In a network of its own, which has no interface that is up. */
const UNSHARE = ['unshare', '-rn'];

const describeWithoutNetwork = prerequisite(
  'unshare',
  spawnSync(UNSHARE[0]!, [...UNSHARE.slice(1), 'true']).status === 0,
  'install util-linux, and allow user namespaces',
);

let folder: ReturnType<typeof privateFolder>;
let host: Host;
beforeEach(() => {
  folder = privateFolder();
});
afterEach(() => {
  host.process.kill('SIGKILL');
  folder.remove();
});

/** What of the tools somebody sees, and whether a call of one is served. */
async function seenBy(to: object, variables: Record<string, string> = {}): Promise<unknown[]> {
  const { registry, grants } = policyOf({ processes: {} });
  const policy = { registry, grants: grants.map((grant) => ({ ...grant, to })) };
  const argv = [...wrapArguments(folder.path, policy), '--', process.execPath, SERVER];
  host = new Host(argv, variables, UNSHARE);
  await host.greet();
  const { result } = await host.ask(1, 'tools/list');
  const tools = result?.['tools'] as { name: string }[];
  const called = await host.ask(2, 'tools/call', { name: 'processes', arguments: {} });
  return [tools.map(({ name }) => name), called.result !== undefined];
}

const SEEN = [['processes'], true];
const UNSEEN = [[], false];

describeWithoutNetwork('[E-17] without a network', () => {
  test('the user of the operating system is who asks', async () => {
    // In a user namespace of its own the process is root, whoever started it.
    const user = spawnSync(UNSHARE[0]!, [...UNSHARE.slice(1), 'id', '-un'])
      .stdout.toString()
      .trim();
    expect(await seenBy({ user: `os:${user}@${hostname()}` })).toEqual(SEEN);
  });

  test('and nobody else is', async () => {
    expect(await seenBy({ user: `os:somebody@${hostname()}` })).toEqual(UNSEEN);
  });

  test("the launcher's configuration says more of who asks", async () => {
    const variables = { PORTCULLIS_GUARD_SUBJECT_GROUPS: 'tellers' };
    expect(await seenBy({ group: 'tellers' }, variables)).toEqual(SEEN);
  });
});
