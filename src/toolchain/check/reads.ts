import { walkRule } from '../ast.ts';
import { isAuthored, placeOf, type Finding, type ParsedPolicy } from '../policy.ts';
import { ANY, type Definition, type Path, type RuleBase } from '../references.ts';

/** Parts of the library that a rule has no business with. */
const INNER = [
  'approval',
  'directory',
  'grants',
  'index',
  'list',
  'main',
  'region',
  'router',
  'tables',
];

interface Taboo {
  when: (path: Path, base: RuleBase) => boolean;
  problem: string;
  instead: string;
}

const TABOOS: readonly Taboo[] = [
  {
    when: (path) => path[0] === 'input' && (path.length === 1 || path.includes(ANY)),
    problem: 'reads `input` other than by a constant path',
    instead:
      'name each member, so that the build knows what must be sent; `some x in input.a.b` is fine',
  },
  {
    when: (path) => path.length === 1 && path[0] === 'data',
    problem: 'reads all of `data`',
    instead: 'name the root that is meant',
  },
  {
    when: (path) => path[0] === 'data' && path[1] === 'mcp' && INNER.includes(path[2] ?? ''),
    problem: 'reads the inside of the library',
    instead: 'use `data.mcp.request` and `data.mcp.compare`',
  },
  {
    when: (path) => path[0] === 'data' && path[1] === 'grants',
    problem: 'reads the grants, which are indexed when data is loaded',
    instead: 'keep facts that rules read under a root of their own',
  },
  {
    when: (path) => path[0] === 'data' && path[1] === 'portcullis',
    problem: 'reads a root that the decision point writes',
    instead: 'use `data.mcp.request`',
  },
  {
    when: (path, base) => base.isAboveRules(constantPart(path)),
    problem:
      'finds rules by a variable or reads several as one, which OPA and the compiled policy ' +
      'answer differently',
    instead: 'refer to one rule by its whole name, or keep the table in data',
  },
];

/** What a path says before its first step that is not a constant. */
function constantPart(path: Path): Path {
  const dynamic = path.indexOf(ANY);
  return dynamic < 0 ? path : path.slice(0, dynamic);
}

/** What an author's rule may read, so that the projection is exact and both engines agree. */
export function reads({ base }: ParsedPolicy): Finding[] {
  return base.definitions
    .filter(({ module }) => isAuthored(module))
    .flatMap((definition) => [...forbidden(definition, base), ...replaced(definition)]);
}

function forbidden(definition: Definition, base: RuleBase): Finding[] {
  return base.references(definition).flatMap(({ path, location }) => {
    const taboo = TABOOS.find(({ when }) => when(path, base));
    const place = placeOf(location ?? definition.rule.location);
    return taboo ? [{ check: 'reads', place, problem: taboo.problem, instead: taboo.instead }] : [];
  });
}

/** `with` in a rule replaces facts of the request; the engines differ on it, and readers do too. */
function replaced({ rule }: Definition): Finding[] {
  const found: Finding[] = [];
  walkRule(rule, {
    expr: (expr) => {
      if (!expr.with) return;
      const place = placeOf(expr.location ?? rule.location);
      found.push({
        check: 'reads',
        place,
        problem: 'uses `with` outside a test',
        instead: 'pass values to a function',
      });
    },
  });
  return found;
}
