/**
 * What an author should know and is not refused for: a policy of its own contract that has no
 * entrypoint for lists is asked without arguments there, so what depends on them is hidden.
 */
import { argumentPointer } from './arguments.ts';
import type { BuildOptions } from './build.ts';
import { placeOf, type Finding, type ParsedPolicy } from './policy.ts';

/** The places where such a policy reads arguments. */
export function listNotes({ base }: ParsedPolicy, options: BuildOptions): Finding[] {
  if (options.entrypoint === undefined || options.discovery !== undefined) return [];
  return base.definitions.flatMap((definition) => {
    const read = base.references(definition).find(({ path }) => argumentPointer(path));
    if (!read) return [];
    return [
      {
        check: 'lists',
        place: placeOf(read.location ?? definition.rule.location),
        problem: 'a list has no arguments, so what depends on this line is hidden there',
        instead: 'name an entrypoint for lists with --discovery',
      },
    ];
  });
}

/** Names of data files are fixed, as in an OPA bundle; another one is passed over. */
export function unreadNotes(paths: readonly string[]): Finding[] {
  return paths.map((path) => ({
    check: 'files',
    place: `policy/${path}`,
    problem: 'this file is not read',
    instead:
      'data stands in files named data.yaml or data.json; their folder is its place in the data',
  }));
}
