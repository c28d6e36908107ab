/** The policy, or the service behind it, changes between what a client does: by real cores. */
import { afterEach, expect, test } from '@jest/globals';
import type { PolicyBundle } from '../../src/bundle/bundle.ts';
import type { DecisionCore } from '../../src/decision/types.ts';
import { EXTENSION } from '../../src/pep/answers.ts';
import { remote } from '../decision/remote/fixture.ts';
import { start, type Started } from '../pdp/fixture.ts';
import { activate, evidenceOnDisk, foreignBundle, sceneWith } from '../support/decisions.ts';
import { describeWithOpa } from '../support/toolchain.ts';
import { before } from './support/real.ts';
import { LINES } from './support/servers.ts';
import { closeWorlds, keep, methodsOf, PATIENT } from './support/worlds.ts';

afterEach(closeWorlds);

/** Allows a transfer by one argument, which it alone reads. */
const reading = (name: string, value: string) => `package reading
call if input.context.phase == "call"
result := {"decision": "allow"} if not call
result := {"decision": "allow"} if {
  call
  input.context.arguments == {"${name}": ${value}}
}
`;
const HIDING = `package reading
result := {"decision": "deny", "visible": false}
`;

const TRANSFER = { amount: 1, to: 'bob', note: 'not read' };

async function bundleOf(rego: string, argument?: string): Promise<PolicyBundle> {
  const pointers = argument === undefined ? {} : { 'tool:payments/transfer': [`/${argument}`] };
  return foreignBundle(rego, ['reading/result'], { metadata: { arguments: pointers } });
}

const AMOUNT = () => bundleOf(reading('amount', '1'), 'amount');
const TO = () => bundleOf(reading('to', '"bob"'), 'to');

/** A service that nobody watches closely, so that a guard learns of a change when it asks. */
async function service(bundle: PolicyBundle, wrap = (core: DecisionCore) => methodsOf(core)) {
  const { evidence, read } = await evidenceOnDisk();
  const policy = await activate(bundle, evidence);
  const scene = sceneWith(policy, evidence, read);
  const running = keep(await start(wrap(scene.core)));
  const settings = { ...PATIENT, watch_interval_ms: 60_000 };
  const point = keep(remote({ url: running.url }, settings));
  const to = async (next: PolicyBundle) => scene.change(await activate(next, evidence));
  const decisions = async () =>
    (await scene.records()).filter(({ kind }) => kind === 'decision').map(told);
  return { running, point, to, decisions, first: policy.identity.digest };
}

const told = ({ reason_code, policy }: { reason_code?: string; policy?: { digest?: string } }) => ({
  reason_code,
  digest: policy?.digest,
});

async function restarted({ url, port }: Started, bundle: PolicyBundle): Promise<void> {
  const { evidence, read } = await evidenceOnDisk();
  const { core } = sceneWith(await activate(bundle, evidence), evidence, read);
  const again = keep(await start(core, { listen: `127.0.0.1:${port}` }));
  expect(again.url).toBe(url);
}

describeWithOpa('a change of policy', () => {
  test.each(LINES)('between a list and a call: decided by the new one, SDK %i.x', async (line) => {
    const { point, to, decisions, first } = await service(await AMOUNT());
    const { wire, journal } = await before(point, line, []);
    expect((await wire.askFor(1, 'tools/list')).result.tools).toHaveLength(4);
    await to(await TO());
    const { result } = await wire.call(2, 'transfer', TRANSFER);
    expect(result.content).toEqual([{ type: 'text', text: 'transferred' }]);
    expect(journal.calls).toHaveLength(1);
    const [asked, answered, ...more] = await decisions();
    expect([asked?.reason_code, answered?.reason_code, more]).toEqual([
      'ARGUMENTS_INCOMPLETE',
      'ALLOWED',
      [],
    ]);
    expect(answered?.digest).not.toBe(first);
    expect(asked?.digest).toBe(answered?.digest);
  });

  test.each(LINES)('that hides what was listed: nobody knows of it, SDK %i.x', async (line) => {
    const { point, to } = await service(await AMOUNT());
    const { wire, journal } = await before(point, line, []);
    await wire.askFor(1, 'tools/list');
    await to(await bundleOf(HIDING));
    const ask = (name: string) => wire.ask(2, 'tools/call', { name, arguments: TRANSFER });
    expect(await ask('transfer')).toBe((await ask('unheard')).replace('unheard', 'transfer'));
    expect((await wire.askFor(3, 'tools/list')).result.tools).toEqual([]);
    expect(journal.calls).toEqual([]);
  });

  test.each(LINES)('again and again: asked twice and no more, SDK %i.x', async (line) => {
    const policies = [await AMOUNT(), await TO()];
    const state: { to?: (next: PolicyBundle) => Promise<void>; count: number } = { count: 0 };
    const restless = (core: DecisionCore) => ({
      ...methodsOf(core),
      evaluation: async (...asked: Parameters<DecisionCore['evaluation']>) => {
        state.count += 1;
        await state.to?.(policies[state.count % 2]!);
        return core.evaluation(...asked);
      },
    });
    const { point, to, decisions } = await service(policies[0]!, restless);
    state.to = to;
    const { wire, journal } = await before(point, line, []);
    const { result } = await wire.call(1, 'transfer', TRANSFER);
    expect(result._meta[EXTENSION]).toMatchObject({
      error: { code: 'POLICY_INDETERMINATE' },
      reason_code: 'ARGUMENTS_INCOMPLETE',
      retry: 'after_seconds',
    });
    expect(journal.calls).toEqual([]);
    expect((await decisions()).map(({ reason_code }) => reason_code)).toEqual([
      'ARGUMENTS_INCOMPLETE',
      'ARGUMENTS_INCOMPLETE',
    ]);
  });

  test.each(LINES)(
    'during a call: the decision stands, the next is new, SDK %i.x',
    async (line) => {
      const state: { after?: (() => Promise<void>) | undefined } = {};
      const changing = (core: DecisionCore) => ({
        ...methodsOf(core),
        evaluation: async (...asked: Parameters<DecisionCore['evaluation']>) => {
          const answer = await core.evaluation(...asked);
          await state.after?.();
          return answer;
        },
      });
      const { point, to, decisions, first } = await service(await AMOUNT(), changing);
      state.after = async () => {
        state.after = undefined;
        await to(await bundleOf(HIDING));
      };
      const { wire, journal } = await before(point, line, []);
      expect((await wire.call(1, 'transfer', TRANSFER)).result.isError).toBeUndefined();
      await wire.call(2, 'transfer', TRANSFER);
      expect(journal.calls).toHaveLength(1);
      const [during, next] = await decisions();
      expect([during?.digest, during?.reason_code]).toEqual([first, 'ALLOWED']);
      expect(next?.digest).not.toBe(first);
    },
  );

  test.each(LINES)('with a restart of the service between two calls, SDK %i.x', async (line) => {
    const { running, point } = await service(await AMOUNT());
    const { wire, journal } = await before(point, line, []);
    const call = (id: number) => wire.call(id, 'transfer', TRANSFER);
    expect((await call(1)).result.isError).toBeUndefined();
    await running.close();
    expect((await call(2)).result._meta[EXTENSION].reason_code).toBe('POLICY_UNAVAILABLE');
    await restarted(running, await TO());
    expect((await call(3)).result.isError).toBeUndefined();
    expect(journal.calls).toHaveLength(2);
  });
});
