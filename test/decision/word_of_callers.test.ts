/** What counts of a caller's word on a subject: its tenant, and the type of its actor. */
import { beforeAll, expect, test } from '@jest/globals';
import type { Caller } from '../../src/decision/types.ts';
import {
  CALLER,
  codeOf,
  foreignBundle,
  sceneOf,
  STRANGER,
  type Scene,
} from '../support/decisions.ts';
import { describeWithOpa } from '../support/toolchain.ts';
import { plain, sepEnvironment, WAYS } from './ways.ts';

/** Allows whoever a caller named `guard` asks for, and says what it saw. */
const POLICY = `package open
default decision := {"decision": "deny", "visible": true, "rules": ["nothing"]}
decision := {"decision": "allow", "rules": [_seen]} if input.context.caller.id == "guard"
decision := {"decision": "deny", "rules": [_seen]} if input.context.caller.id == "stranger"
_seen := sprintf("%s %s %s", [
  input.context.caller.channel,
  object.get(input.subject.properties, "actor_type", "-"),
  object.get(input.context, ["claimed", "actor_type"], "-"),
])
list contains i if some i, _ in input.resources
`;

const BOUND: Caller = { ...CALLER, tenants: new Set(['acme', 'globex']) };
const REFUSED = 'UNAUTHENTICATED';
const TENANT_WAYS = [...WAYS, { what: 'the environment of the SEP', ask: sepEnvironment }];

describeWithOpa('of a caller', () => {
  let scene: Scene;
  beforeAll(async () => {
    const metadata = { entrypoint: 'open/decision', discovery: 'open/list' };
    const entrypoints = ['open/decision', 'open/list'];
    scene = await sceneOf(await foreignBundle(POLICY, entrypoints, { metadata }));
  });

  test.each(TENANT_WAYS)('bound to tenants, $what is for those only', async ({ ask }) => {
    const before = (await scene.records()).length;
    expect(await codeOf(ask(scene.core, { tenant: 'umbrella' }, BOUND))).toBe(REFUSED);
    expect(await codeOf(ask(scene.core, {}, BOUND))).toBe(REFUSED);
    // Nothing of the request was decided, its permitted entries neither.
    expect(await scene.records()).toHaveLength(before);
    await ask(scene.core, { tenant: 'acme' }, BOUND);
    await ask(scene.core, { tenant: 'globex' }, BOUND);
    const told = (await scene.records()).slice(before);
    expect(told.length).toBeGreaterThan(1);
    for (const record of told) {
      expect(record).toMatchObject({ caller: 'guard', caller_tenants: ['acme', 'globex'] });
    }
  });

  test.each(TENANT_WAYS)('bound to none, $what is for every tenant', async ({ ask }) => {
    for (const said of [{ tenant: 'umbrella' }, {}]) await ask(scene.core, said, CALLER);
    expect((await scene.records()).at(-1)).not.toHaveProperty('caller_tenants');
  });

  test('bound to tenants, a tenant that is no text is none', async () => {
    for (const tenant of [7, ['acme'], { acme: true }, null, 'ACME', ' acme']) {
      expect(await codeOf(scene.core.evaluation(plain({ tenant }), BOUND))).toBe(REFUSED);
    }
  });

  test.each(WAYS.filter(({ what }) => what !== 'a list'))(
    'without `attest:actor` the actor type of $what is a claim (E-08)',
    async ({ ask }) => {
      await ask(scene.core, { actor_type: 'human' }, CALLER);
      expect((await scene.records()).at(-1)).toMatchObject({
        rules: ['embedded human -'],
        request: { subject: { actor_type: 'human' } },
      });
      await ask(scene.core, { actor_type: 'human' }, STRANGER);
      const record = (await scene.records()).at(-1)!;
      expect(record).toMatchObject({ caller: 'stranger', rules: ['embedded - human'] });
      expect(record.request!.subject).not.toHaveProperty('actor_type');
    },
  );

  test('without `attest:actor` the actor type of a list is a claim (E-08)', async () => {
    const { ask } = WAYS.find(({ what }) => what === 'a list')!;
    const said = { actor_type: 'human' };
    await ask(scene.core, said, CALLER);
    expect((await scene.records()).at(-1)).toMatchObject({ request: { subject: said } });
    await ask(scene.core, said, STRANGER);
    const { request } = (await scene.records()).at(-1)!;
    expect(request!.subject).not.toHaveProperty('actor_type');
  });

  test('a rule knows who asks, and no request says it', async () => {
    const asked = { ...plain({}), context: { caller: { id: 'guard', channel: 'socket' } } };
    expect((await scene.core.evaluation(asked, CALLER)).body).toMatchObject({ decision: true });
    const other = await scene.core.evaluation(asked, { ...CALLER, id: 'somebody' });
    expect(other.body).toMatchObject({ decision: false });
    expect((await scene.records()).at(-1)).toMatchObject({ rules: ['nothing'] });
  });
});
