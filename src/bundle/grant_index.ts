/** Finds a grant by what it speaks of and whom it addresses, and a name by its clients. */
import { jsonPointer } from '../contract/json.ts';
import type { Grant } from '../contract/types.gen.ts';
import { invalidData } from './data_files.ts';

/** Without a prototype, so that no name in the data can mean one of its members. */
type Dictionary<T> = Record<string, T>;

/** The members of `to`, narrowest first; the first present one is the key. */
const ADDRESSEES = ['user', 'group', 'agent', 'actor_type', 'surface'] as const;

/** Grants by `on`, then by addressee: `group:tellers`, `user:alice`, … or `anyone`. */
export function indexGrants(grants: readonly Grant[]): Dictionary<Dictionary<Grant[]>> {
  const index: Dictionary<Dictionary<Grant[]>> = dictionary();
  for (const grant of grants) {
    const byKey = (index[grant.on] ??= dictionary());
    (byKey[addressee(grant)] ??= []).push(grant);
  }
  return index;
}

/** Grants that ask for an approval, by `on`: an approver is not whom they are addressed to. */
export function indexAsking(grants: readonly Grant[]): Dictionary<Grant[]> {
  const index: Dictionary<Grant[]> = dictionary();
  for (const grant of grants) if (grant.require_approval) (index[grant.on] ??= []).push(grant);
  return index;
}

function addressee({ to }: Grant): string {
  const kind = ADDRESSEES.find((name) => to[name] !== undefined);
  return kind === undefined ? 'anyone' : `${kind}:${to[kind]}`;
}

/**
 * Names of agents or surfaces by the client ids that prove them; an agent without a list is proved
 * by its own name. Throws `DATA_INVALID` where an id stands for two: it would prove neither.
 */
export function indexClients(
  root: 'agents' | 'surfaces',
  entries: Record<string, { clients?: string[] }>,
): Dictionary<string> {
  const index: Dictionary<string> = dictionary();
  for (const [name, { clients }] of Object.entries(entries)) {
    const ids = clients ?? (root === 'agents' ? [name] : []);
    for (const [i, id] of ids.entries()) {
      if (index[id] !== undefined && index[id] !== name) {
        const path = clients ? [root, name, 'clients', String(i)] : [root, name];
        throw invalidData(`a client belongs to two of the ${root}`, jsonPointer(path));
      }
      index[id] = name;
    }
  }
  return index;
}

export function dictionary<T>(): Dictionary<T> {
  return Object.create(null) as Dictionary<T>;
}
