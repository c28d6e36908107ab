/** Forms of the library that were seen to open, or would; each must show as a difference. */
import { scanningModules } from '../../src/toolchain/build.ts';
import type { SourceFile } from '../../src/toolchain/sources.ts';
import { AS_BUILT, type Form } from './voices.ts';

/** A text of a file of the library, and what is put in its place. */
interface Change {
  file: string;
  from: string;
  to: string;
}

/** The library with some texts replaced. Throws where one is not there. */
function changed(...changes: Change[]): Form['library'] {
  return (files) =>
    changes.reduce<SourceFile[]>(
      (all, { file, from, to }) => {
        const target = all.find(({ path }) => path === file);
        if (!target?.text.includes(from)) throw new Error(`${file} does not hold: ${from}`);
        const text = target.text.replace(from, to);
        return all.map((each) => (each === target ? { ...each, text } : each));
      },
      [...files],
    );
}

/** The check would refuse most of them, so it is left out. */
function mutant(...changes: Change[]): Form {
  return { ...AS_BUILT, library: changed(...changes), checked: false };
}

/** The scanning router is compiled, as if the build generated none. */
function scanning(...changes: Change[]): Form {
  return { ...mutant(...changes), compiled: scanningModules };
}

export const MUTANTS: Record<string, Form> = {
  'a region under `not` by a reference that finds rules by variables': scanning({
    file: 'router.rego',
    from: '== "require_approval"\n\tnot _inside[area][title]',
    to: '== "require_approval"\n\tnot data.mcp.rules[area][title].within == true',
  }),
  'granted rules looked up under `not`': mutant(
    ...[1, 2].map(() => ({
      file: 'main.rego',
      from: 'not _granted(id)',
      to: 'not id in input.context.approval.granted_rules',
    })),
  ),
  'a region under `not` of which the arguments may be absent': mutant({
    file: 'grants.rego',
    from: 'not _excused(grant)',
    to: 'not region.inside(grant.unless_within, request.arguments)',
  }),
  'obligations under `not is_set`': scanning({
    file: 'router.rego',
    from: 'not _stated[area][title]',
    to: 'not is_set(data.mcp.rules[area][title].obligations)',
  }),
  'a bare `<=`': mutant({
    file: 'compare.rego',
    from: 'is_number(x)\n\tis_number(limit)\n\tx <= limit',
    to: 'x <= limit',
  }),
  'a limit of another type': mutant({
    file: 'compare.rego',
    from: 'is_number(x)\n\tis_number(limit)\n\tx <= limit',
    to: 'is_number(x)\n\tx <= limit',
  }),
  'an inequality with what may be absent': mutant({
    file: 'rules/boundary/environment.rego',
    from: 'applies if not _same',
    to: 'applies if request.capability.environment != request.environment',
  }),
  'a ceiling compared by names': mutant({
    file: 'rules/boundary/risk.rego',
    from: '_rank[request.capability.risk] <= _rank[ceiling]',
    to: 'request.capability.risk <= ceiling',
  }),
  'an unknown link that is passed over': mutant({
    file: 'directory.rego',
    from: '_name(id) := name if name := index.agent(id)\n\nelse := null',
    to: '_name(id) := index.agent(id)',
  }),
  'a chain read the other way round': mutant({
    file: 'rules/delegation/chain.rego',
    from: 'not _delegates(agent, next)',
    to: 'not _delegates(next, agent)',
  }),
  'an item of a region of which one member suffices': mutant({
    file: 'region.rego',
    from: 'every member in members {\n\t\t_passes(tests, _at(after, member))\n\t}',
    to: 'some member in members\n\t_passes(tests, _at(after, member))',
  }),
  'approvers looked for among those whom the grant addresses': mutant({
    file: 'grants.rego',
    from: 'some grant in index.asking',
    to: 'some grant in index.grants',
  }),
  'a list that looks at no denial': mutant({
    file: 'main.rego',
    from: 'count(_denied) == 0\n\tcount(_listed) > 0',
    to: 'count(_listed) > 0',
  }),
  'an approval that allows by itself': mutant({
    file: 'main.rego',
    from: 'else := "deny" if count(_allowed) == 0\n\n',
    to: '',
  }),
};
