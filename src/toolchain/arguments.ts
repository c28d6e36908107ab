/**
 * Which rules read the arguments of a call, and which members of them: the rule contract keeps
 * arguments to `within`, `obligations` and `eligible`, and the PEP sends only what is read.
 */
import { jsonPointer } from '../contract/json.ts';
import {
  ANY,
  overlaps,
  startsWith,
  type Definition,
  type Path,
  type RuleBase,
} from './references.ts';

/** Both names of the arguments. */
const ARGUMENT_ROOTS: readonly Path[] = [
  ['data', 'mcp', 'request', 'arguments'],
  ['input', 'context', 'arguments'],
];

/** The package whose members a rule reads one by one; its own definitions are not followed. */
const REQUEST: Path = ['data', 'mcp', 'request'];

/** JSON Pointer of the member that a path reads, or undefined; the empty pointer is all of them. */
export function argumentPointer(path: Path): string | undefined {
  for (const root of ARGUMENT_ROOTS) {
    if (startsWith(path, root)) return memberPointer(path.slice(root.length));
    if (overlaps(path, root)) return '';
  }
  return undefined;
}

/** Cut at the first step that is not a constant, because any member may be meant. */
function memberPointer(steps: Path): string {
  const dynamic = steps.indexOf(ANY);
  return jsonPointer(dynamic < 0 ? steps : steps.slice(0, dynamic));
}

/** The argument members that a definition reads, itself or through what it refers to. */
export class ArgumentReach {
  readonly #base: RuleBase;
  readonly #known = new Map<Definition, ReadonlySet<string>>();

  constructor(base: RuleBase) {
    this.#base = base;
  }

  of(definition: Definition): ReadonlySet<string> {
    const known = this.#known.get(definition);
    if (known) return known;
    const pointers = new Set<string>();
    this.#known.set(definition, pointers);
    for (const { path } of this.#base.references(definition)) {
      const pointer = argumentPointer(path);
      if (pointer !== undefined) pointers.add(pointer);
      else if (!startsWith(path, REQUEST)) this.#follow(path, definition, pointers);
    }
    return pointers;
  }

  #follow(path: Path, from: Definition, pointers: Set<string>): void {
    for (const next of this.#base.reached(path)) {
      if (next !== from) for (const pointer of this.of(next)) pointers.add(pointer);
    }
  }
}
