/** The rules of scripts/import_table.ts in the form that dependency-cruiser reads. */
import { FOLDERS, NODE_MODULES, PACKAGES } from './scripts/import_table.ts';

/** Matches the files of rows: all of a folder, or one file. */
const under = (names) =>
  names.map((name) => `^src/${RegExp.escape(name)}${name.endsWith('.ts') ? '$' : '/'}`);
/** Matches packages, their types, and modules of Node. */
const modules = (names) =>
  names.flatMap((name) => [
    `^node_modules/${name}/`,
    `^node_modules/@types/${name}/`,
    `^(node:)?${name}$`,
  ]);
const error = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to });

const folders = FOLDERS.filter((row) => !row.may_import.includes('*')).flatMap((row) => {
  const types = row.types_of ?? [];
  const known = under([row.name, ...row.may_import, ...types]);
  const from = { path: under([row.name]) };
  const may = [...row.may_import, ...types.map((name) => `types of ${name}`)].join(', ');
  return [
    error(`${row.name}-imports`, `may import: ${may || 'nothing'}`, from, {
      path: '^src/',
      pathNot: known,
    }),
    ...(types.length === 0
      ? []
      : [
          error(`${row.name}-types-only`, `only types of ${types.join(', ')}`, from, {
            path: under(types),
            dependencyTypesNot: ['type-only'],
          }),
        ]),
    ...(row.node_modules === undefined
      ? []
      : [
          error(`${row.name}-node`, `of Node only ${row.node_modules.join(', ')}`, from, {
            dependencyTypes: ['core'],
            pathNot: row.node_modules.map((name) => `^(node:)?${name}$`),
          }),
        ]),
  ];
});

const fences = Object.entries({ ...PACKAGES, ...NODE_MODULES }).map(([name, owners]) =>
  error(
    `fence-${name}`,
    `${name} is for ${owners.join(', ')}`,
    { path: '^src/', pathNot: under(owners) },
    { path: modules([name]) },
  ),
);

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    ...folders,
    ...fences,
    error(
      'package-without-row',
      'name the package and its folder in scripts/import_table.ts',
      { path: '^src/' },
      { path: '^node_modules/', pathNot: modules([...Object.keys(PACKAGES), 'node']) },
    ),
    error(
      'folder-without-row',
      'name the folder in scripts/import_table.ts',
      { path: '^src/', pathNot: under(FOLDERS.map((row) => row.name)) },
      {},
    ),
    error(
      'source-stands-alone',
      'src is what is shipped',
      { path: '^src/' },
      { path: '^(test|scripts|examples|bin)/' },
    ),
    error(
      'no-unresolvable',
      'the module cannot be found',
      { path: '^src/' },
      { couldNotResolve: true },
    ),
    error(
      'no-circle',
      'two modules that need each other are one module',
      { path: '^src/' },
      { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    ),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'types'] },
  },
};
