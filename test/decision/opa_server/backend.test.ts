/** What an OPA server says of its policy, and what it makes of a request. */
import { chmodSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { CALLER, callOf, codeOf, contextOf } from '../../support/decisions.ts';
import { describeWithOpa } from '../../support/toolchain.ts';
import { json, liar, sceneAt, servers } from '../foreign/fixture.ts';
import { opaAtPlace } from '../foreign/processes.ts';

afterEach(() => servers.close());

const answer = (revision: string | undefined, result: unknown = true) =>
  json({ result, provenance: revision ? { bundles: { main: { revision } } } : {} });

describe('the revision of an OPA server', () => {
  test('stands in each record, and an answer under another is not used', async () => {
    const server = await liar();
    const { core, evaluator, records } = await sceneAt('opa', { url: server.url });
    expect(evaluator.current().identity.revision).toBe('main@one');
    server.act(answer('two'));
    const denied = { outcome: 'deny', reason_code: 'POLICY_INDETERMINATE' };
    expect(contextOf(await core.evaluation(callOf(), CALLER))).toMatchObject(denied);
    expect((await records()).at(-1)).toMatchObject({
      policy: { revision: 'main@one' },
      detail: expect.stringContaining('its policy changed since it was looked at'),
    });
    const changed = Promise.withResolvers<void>();
    evaluator.watch(() => changed.resolve());
    // `false` denies nobody too.
    server.actToLooks(answer('two', false));
    await changed.promise;
    expect(contextOf(await core.evaluation(callOf(), CALLER))).toMatchObject({ outcome: 'allow' });
    expect((await records()).at(-1)).toMatchObject({ policy: { revision: 'main@two' } });
  });

  test('is that of all bundles, in one order, and cut to a digest where it is long', async () => {
    const server = await liar();
    const bundles = { b: { revision: '2' }, a: { revision: '1' }, c: {} };
    server.actToLooks(json({ result: false, provenance: { bundles } }));
    const { evaluator } = await sceneAt('opa', { url: server.url });
    expect(evaluator.current().identity.revision).toBe('a@1 b@2 c@');
    server.actToLooks(answer('x'.repeat(300), false));
    const changed = Promise.withResolvers<void>();
    evaluator.watch(() => changed.resolve());
    await changed.promise;
    expect(evaluator.current().identity.revision).toMatch(/^sha256:/);
  });

  test('is missing where it got its policy otherwise', async () => {
    const server = await liar();
    server.actToLooks(answer(undefined, false));
    server.act(answer(undefined));
    const { core, evaluator } = await sceneAt('opa', { url: server.url });
    expect(evaluator.current().identity.revision).toBe('unversioned');
    expect(contextOf(await core.evaluation(callOf(), CALLER))).toMatchObject({ outcome: 'allow' });
  });
});

describeWithOpa('a real OPA server', () => {
  const REGO = `package odd
id := input.resource.id
result := true if id == "fine"
result := {"decision": "allow"} if id == "conflict"
result := {"decision": "deny"} if id == "conflict"
result := {"decision": "allow"} if id == "builtin"
unused := to_number("x") if id == "builtin"
result := {"decision": "deny"} if { id == "builtin"; to_number("x") == 1 }
result := {"decision": "allow", "typo": 1} if id == "typo"
`;

  async function scene(remote = {}) {
    const folder = servers.folder();
    const file = join(folder, 'odd.rego');
    writeFileSync(file, REGO);
    const socket = join(folder, 's');
    const opa = servers.keep(opaAtPlace({ socket }, file));
    await opa.start();
    const opened = await sceneAt('opa', { socket, path: 'odd/result', ...remote });
    const outcome = async (id: string) =>
      contextOf(await opened.core.evaluation(callOf({}, { id }), CALLER));
    return { ...opened, outcome, opa };
  }

  test('that yields true allows, and in every other state it does not', async () => {
    const { outcome } = await scene();
    expect(await outcome('fine')).toMatchObject({ outcome: 'allow' });
    const undecided = { outcome: 'deny', reason_code: 'POLICY_INDETERMINATE' };
    for (const id of ['conflict', 'builtin', 'typo', 'undefined']) {
      expect(await outcome(id)).toMatchObject(undecided);
    }
  });

  test('asked for a rule that it has not denies', async () => {
    for (const path of ['odd/other', 'no/such', 'odd%2fresult']) {
      const { outcome } = await scene({ path });
      expect(await outcome('fine')).toMatchObject({ outcome: 'deny' });
    }
    expect(await codeOf(scene({ path: 'odd/result"]' }))).toBe('BACKEND_ANSWER_INVALID');
    for (const path of ['/odd/result/../../v1/policies', './odd', '/']) {
      expect(await codeOf(scene({ path }))).toBe('CONFIGURATION_INVALID /policy/remote/path');
    }
  });

  test('behind a folder that others can write is not believed', async () => {
    const { outcome, core, opa, records } = await scene({ silence_ms_max: 60_000 });
    expect(await outcome('fine')).toMatchObject({ outcome: 'allow' });
    const { socket } = opa.place as { socket: string };
    await opa.kill();
    chmodSync(dirname(socket), 0o777);
    await opa.start();
    const again = core.evaluation(callOf({}, { id: 'fine' }), CALLER);
    expect(await codeOf(again)).toBe('BACKEND_UNREACHABLE');
    expect((await records()).at(-1)?.detail).toContain('can be written by others');
  });
});
