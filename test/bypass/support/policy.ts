/** The policy that the attacks meet: the library with data, in a real engine, with evidence. */
import { join } from 'node:path';
import { layPolicyData, readBundle, type PolicyBundle } from '../../../src/bundle/bundle.ts';
import type { Data } from '../../../src/bundle/data_files.ts';
import { readFiles } from '../../../src/bundle/files.ts';
import { fromAuthInfo } from '../../../src/identity/auth_info/source.ts';
import type { IdentitySource, TrustedContext } from '../../../src/identity/types.ts';
import { sceneOf, type Scene } from '../../support/decisions.ts';
import { LIMIT } from './bank.ts';
import { DEFAULTS } from '../../support/defaults.ts';

export const LIBRARY = join(import.meta.dirname, '../../../bundles/mcp.tar.gz');

export const OWNED = { environment: 'production', risk: 'low', approved: true, data_classes: [] };

/** Tellers ask for balances and transfer small sums; auditors use the secret tool. */
export const DATA = {
  registry: {
    'tool:bank/balance': OWNED,
    'tool:bank/transfer': OWNED,
    'tool:bank/secret': OWNED,
  } as Record<string, object>,
  grants: [
    { to: { group: 'tellers' }, on: 'tool:bank/balance' },
    {
      to: { group: 'tellers' },
      on: 'tool:bank/transfer',
      within: { '/amount': { at_least: 0, at_most: LIMIT } },
    },
    { to: { group: 'auditors' }, on: 'tool:bank/balance' },
    { to: { group: 'auditors' }, on: 'tool:bank/secret' },
  ] as object[],
  agents: { desk: { clients: ['desk'], may: ['*'] }, bot: { clients: ['kiosk'], may: ['*'] } },
  // Who works from there is told public fields alone.
  surfaces: { kiosk: { clients: ['kiosk'], keep: 'public' } },
};

/** The data with more in it. */
export function withData(
  { registry = {}, grants = [] }: Partial<typeof DATA>,
  base = DATA,
): typeof DATA {
  return {
    ...base,
    registry: { ...base.registry, ...registry },
    grants: [...base.grants, ...grants],
  };
}

/** With a tool `customer`, of whose result the kiosk is told the `/id` alone. */
export const WITH_CUSTOMER = withData({
  registry: {
    'tool:bank/customer': {
      ...OWNED,
      data_classes: ['public', 'personal'],
      fields_by_class: { public: ['/id'], personal: ['/ssn'] },
    },
  },
  grants: [{ to: { group: 'tellers' }, on: 'tool:bank/customer' }],
});

export async function libraryWith(data: object): Promise<PolicyBundle> {
  return layPolicyData(readBundle(await readFiles(LIBRARY, DEFAULTS.policy)), data as Data);
}

export async function sceneWith(data: object = DATA): Promise<Scene> {
  return sceneOf(await libraryWith(data));
}

const PEOPLE: Readonly<Record<string, { groups: string[]; client: string }>> = {
  alice: { groups: ['tellers'], client: 'desk' },
  carol: { groups: ['auditors'], client: 'desk' },
  bot: { groups: ['tellers'], client: 'kiosk' },
};

/** What the host's own authentication makes of `Authorization: Bearer alice`. */
export function authInfoOf(authorization: string | null): object | undefined {
  const sub = authorization?.replace('Bearer ', '');
  const person = sub === undefined ? undefined : PEOPLE[sub];
  if (!person) return undefined;
  const { groups, client } = person;
  return { clientId: client, extra: { sub, groups, actor: 'human' } };
}

const proved = fromAuthInfo({ groups: 'groups', actor_type: 'actor' });
const standing = { environment: { deployment: 'production' } };

/** Over HTTP: whom the host proved, where the server stands. */
export const byHost: IdentitySource = (extra, report) => {
  const trusted = proved(extra, report);
  return trusted && { ...trusted, ...standing };
};

/** Over stdio: whom the launcher named. */
export function launchedAs(name: string): TrustedContext {
  const trusted = byHost({ authInfo: authInfoOf(`Bearer ${name}`) });
  if (!trusted) throw new Error('nobody of that name');
  return trusted;
}
