/** What a server must survive, and what must never open where it does not. */
import { expect, test } from '@jest/globals';
import { CALLER, codeOf } from '../support/decisions.ts';
import {
  coreOver,
  listing,
  outcomeOf,
  until,
  using,
  worldsOf,
  type BackendKind,
} from './suite_world.ts';

export function serverSuite(kind: BackendKind): void {
  const { closed } = worldsOf(kind);
  const world = async () => {
    const { backend, ...rest } = await closed();
    if (!backend.server) throw new Error('it is no server');
    return { ...rest, server: backend.server };
  };

  test('without the server there is no start', async () => {
    const { server, open } = await world();
    await server.kill();
    expect(await codeOf(open())).toBe('BACKEND_UNREACHABLE');
  });

  test('killed, it gives no decision; started again, it gives the same', async () => {
    const { server, open, evidence, read } = await world();
    const evaluator = await open();
    const core = coreOver(evaluator, evidence);
    const ready: boolean[] = [];
    core.watch((status) => ready.push(status.ready));
    expect(await outcomeOf(core)).toBe('allow');
    await server.kill();
    expect(await codeOf(core.evaluation(using('fine'), CALLER))).toBe('BACKEND_UNREACHABLE');
    expect(await codeOf(core.evaluations(listing(['fine']), CALLER))).toBe('BACKEND_UNREACHABLE');
    await until(() => ready.includes(false));
    expect(await codeOf(core.evaluation(using('fine'), CALLER))).toBe('POLICY_ABSENT');
    await server.start();
    await until(() => ready.includes(true));
    expect(await outcomeOf(core)).toBe('allow');
    expect(ready).toEqual([false, true]);
    expect(await read()).toMatchObject([
      { kind: 'activation', status: 'activated' },
      { kind: 'decision', decision: true },
      { kind: 'backend_error', request: { resource: { id: 'fine' } } },
      { kind: 'backend_error', request: { phase: 'discovery' } },
      { kind: 'decision', decision: true },
    ]);
  });

  test('killed among many, all that is allowed is on record', async () => {
    const { server, open, evidence, read } = await world();
    const core = coreOver(await open(), evidence);
    const asked = Array.from({ length: 100 }, () => outcomeOf(core).catch(() => 'none'));
    await server.kill();
    const outcomes = await Promise.all(asked);
    expect([...new Set(outcomes)].filter((each) => each !== 'allow')).toEqual(['none']);
    const records = (await read()).filter(({ kind: of }) => of !== 'activation');
    expect(records).toHaveLength(100);
    expect(records.filter(({ decision }) => decision === true)).toHaveLength(
      outcomes.filter((each) => each === 'allow').length,
    );
  });

  test('while it hangs nothing is decided, and when it goes on it is', async () => {
    const { server, open, evidence } = await world();
    const core = coreOver(await open(), evidence);
    server.freeze();
    // It stops a moment after it was told to.
    await until(async () => (await codeOf(core.evaluation(using('fine'), CALLER))) !== 'no error');
    expect(await codeOf(core.evaluation(using('fine'), CALLER))).toMatch(/^BACKEND|^POLICY_ABSENT/);
    server.thaw();
    await until(async () => (await outcomeOf(core).catch(() => 'none')) === 'allow');
  });
}
