/** Derives which arguments a PEP must send from what the rules read; nobody lists them by hand. */
import { ArgumentReach } from './arguments.ts';
import type { RuleBase } from './references.ts';
import type { RulePackage } from './rule_package.ts';

/** Capability name, or `*`, to the JSON Pointers that its rules read; the empty one is all. */
export type ArgumentPointers = Record<string, string[]>;

export function argumentPointers(base: RuleBase, rules: readonly RulePackage[]): ArgumentPointers {
  const reach = new ArgumentReach(base);
  const pointers = new Map<string, Set<string>>();
  for (const rule of rules) {
    const inRule = new Set(rule.rules);
    const definitions = base.definitions.filter((definition) => inRule.has(definition.rule));
    const read = definitions.flatMap((definition) => [...reach.of(definition)]);
    for (const capability of read.length > 0 ? rule.capabilities : []) {
      pointers.set(capability, new Set([...(pointers.get(capability) ?? []), ...read]));
    }
  }
  return Object.fromEntries(
    [...pointers].sort(byKey).map(([name, read]) => [name, outermost(read)]),
  );
}

/** A policy of its own contract is not understood that far: it gets what its modules name. */
export function plainPointers(base: RuleBase): ArgumentPointers {
  const reach = new ArgumentReach(base);
  const read = base.definitions.flatMap((definition) => [...reach.of(definition)]);
  return read.length > 0 ? { '*': outermost(read) } : {};
}

/** Drops what lies under another pointer, because that one is sent whole. */
function outermost(pointers: Iterable<string>): string[] {
  const sorted = [...new Set(pointers)].sort();
  return sorted.filter(
    (pointer) => !sorted.some((other) => other !== pointer && pointer.startsWith(`${other}/`)),
  );
}

function byKey([a]: [string, unknown], [b]: [string, unknown]): number {
  return a < b ? -1 : 1;
}
