import { isSome, lineCall, refSteps, walkTerm, type Module, type Rule, type Term } from '../ast.ts';
import { placeOf, type Finding, type ParsedPolicy } from '../policy.ts';
import { headName, type RuleBase } from '../references.ts';

const NAME = 'obligations';

/**
 * Obligations are stated whole or not at all. Of several definitions, or of one for each member of
 * something, those whose facts are missing would be left out, and the others would still count.
 */
export function obligations({ base, rules }: ParsedPolicy): Finding[] {
  const inRules = new Set(rules.flatMap((rule) => rule.rules));
  const stated = base.definitions.filter(
    ({ rule }) => inRules.has(rule) && headName(rule) === NAME,
  );
  const packages = stated.map(({ module }) => module.package.path.map(({ value }) => value).join());
  return stated.flatMap(({ module, rule }, i) => {
    const isSecond = packages.indexOf(packages[i] as string) !== i;
    if (!isSecond && !iterates(rule, module, base)) return [];
    return [
      {
        check: 'obligations',
        place: placeOf(rule.location),
        problem: '`obligations` may be stated in part',
        instead: 'state all in one definition without `some`: `obligations := {first, second}`',
      },
    ];
  });
}

/** True where the body may hold more than once. What a comprehension gathers is one value. */
function iterates({ head, body }: Rule, module: Module, base: RuleBase): boolean {
  if (body.some(({ terms }) => isSome(terms))) return true;
  const assigned = new Set(body.map(assignedName));
  const terms = body.flatMap((line) => (Array.isArray(line.terms) ? line.terms : [line.terms]));
  const all = [...terms, head.key, head.value].filter((term) => term && 'value' in term) as Term[];
  return all.some((term) =>
    loopVariables(term).some(
      (name) => !assigned.has(String(name.value)) && base.resolve(module, name) === undefined,
    ),
  );
}

function assignedName(line: Rule['body'][number]): string | undefined {
  const call = lineCall(line);
  return call?.operator === 'assign' ? String(call.operands[0]?.value) : undefined;
}

/** Variables in the brackets of references, those inside comprehensions left out. */
function loopVariables(term: Term): Term[] {
  const found = new Set<Term>();
  const inner = new Set<Term>();
  walkTerm(term, {
    term: (part) => {
      const steps = refSteps(part)?.slice(1) ?? [];
      for (const step of steps) if (step.type === 'var') found.add(step);
      if (!part.type.endsWith('comprehension')) return;
      walkTerm(part, { term: (deep) => inner.add(deep) });
    },
  });
  return [...found].filter((step) => !inner.has(step));
}
