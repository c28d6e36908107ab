/** Rules over the syntax tree of the code. */
import ts from 'typescript';
import { isCode, isCodeIn, lineOf, matchSyntax, type Rule } from './rule.ts';

const FUNCTION_LINES_MAX = 70;
const TEST_WORDS = new Set(['test', 'it', 'describe']);
const AMBIENT = /^(Date\.now|Math\.random|performance\.now)$/;
const CHANCE = new Set(['randomUUID', 'randomBytes', 'randomInt', 'getRandomValues']);

/** `a.b` of a property access or `a` of an identifier; else the empty text. */
function dotted(node: ts.Node): string {
  if (ts.isIdentifier(node)) return node.text;
  if (!ts.isPropertyAccessExpression(node)) return '';
  return `${dotted(node.expression)}.${node.name.text}`;
}

/** A `describe` callback groups tests and is not itself a function to read. */
function isGroup(node: ts.Node): boolean {
  const call = node.parent;
  return ts.isCallExpression(call) && call.expression.getText().startsWith('describe');
}

function isSkip(node: ts.Node): boolean {
  if (ts.isIdentifier(node)) return /^(xit|xtest|xdescribe|fit|fdescribe)$/.test(node.text);
  if (!ts.isPropertyAccessExpression(node)) return false;
  return (
    /^(skip|only|todo|failing)$/.test(node.name.text) &&
    TEST_WORDS.has(dotted(node.expression).split('.')[0] ?? '')
  );
}

function isAmbient(node: ts.Node): boolean {
  if (ts.isNewExpression(node)) {
    return dotted(node.expression) === 'Date' && (node.arguments?.length ?? 0) === 0;
  }
  if (ts.isIdentifier(node)) return CHANCE.has(node.text);
  return AMBIENT.test(dotted(node));
}

export const SYNTAX_RULES: readonly Rule[] = [
  {
    name: `functions have at most ${FUNCTION_LINES_MAX} lines`,
    concerns: isCode,
    find: (file) =>
      matchSyntax(file, (node, tree) => {
        if (!ts.isFunctionLike(node) || isGroup(node)) return false;
        const lines = lineOf(tree, node.end) - lineOf(tree, node.getStart(tree)) + 1;
        return lines > FUNCTION_LINES_MAX && `a function of ${lines} lines`;
      }),
    bites: { path: 'src/a.ts', text: `function long() {${'\n'.repeat(FUNCTION_LINES_MAX)}}` },
  },
  {
    name: 'no default exports',
    concerns: isCode,
    find: (file) =>
      matchSyntax(
        file,
        (node) =>
          (ts.isExportAssignment(node) || node.kind === ts.SyntaxKind.DefaultKeyword) &&
          !ts.isCaseOrDefaultClause(node.parent) &&
          'a default export',
      ),
    bites: { path: 'src/a.ts', text: 'export default 1;' },
  },
  {
    name: 'no enum, namespace or parameter property',
    concerns: isCode,
    find: (file) =>
      matchSyntax(file, (node) => {
        if (ts.isEnumDeclaration(node)) return 'an enum';
        if (ts.isModuleDeclaration(node)) return 'a namespace';
        return ts.isParameter(node) && (node.modifiers?.length ?? 0) > 0 && 'a parameter property';
      }),
    bites: { path: 'src/a.ts', text: 'class A { constructor(private readonly b: string) {} }' },
  },
  {
    name: 'nothing is exported again but by src/index.ts',
    concerns: (path) => isCode(path) && path !== 'src/index.ts',
    find: (file) =>
      matchSyntax(
        file,
        (node) => ts.isExportDeclaration(node) && node.moduleSpecifier !== undefined && 'a barrel',
      ),
    bites: { path: 'src/pep/index.ts', text: "export * from './guard.ts';" },
  },
  {
    name: 'no module mocks',
    concerns: isCodeIn('test/'),
    find: (file) =>
      matchSyntax(
        file,
        (node) => /^jest\.(\w*[mM]ock|\w*mockModule)$/.test(dotted(node)) && dotted(node),
      ),
    bites: { path: 'test/a.test.ts', text: "jest.unstable_mockModule('./a.ts', () => ({}));" },
  },
  {
    name: 'a test is skipped only through test/support/prerequisite.ts',
    concerns: (path) => isCodeIn('test/')(path) && path !== 'test/support/prerequisite.ts',
    find: (file) => matchSyntax(file, (node) => isSkip(node) && node.getText()),
    bites: { path: 'test/a.test.ts', text: "test.skip('later', () => {});" },
  },
  {
    name: 'process.env is read only in src/config',
    concerns: (path) => isCodeIn('src/')(path) && !path.startsWith('src/config/'),
    find: (file) => matchSyntax(file, (node) => dotted(node) === 'process.env' && 'process.env'),
    bites: { path: 'src/pdp/server.ts', text: 'const home = process.env.HOME;' },
  },
  {
    name: 'process.exit is called only in src/cli',
    concerns: (path) => isCodeIn('src/')(path) && !path.startsWith('src/cli/'),
    find: (file) => matchSyntax(file, (node) => dotted(node) === 'process.exit' && 'process.exit'),
    bites: { path: 'src/pdp/server.ts', text: 'process.exit(1);' },
  },
  {
    name: 'clock and chance are handed in',
    concerns: isCodeIn('src/decision/', 'src/approvals/', 'src/evidence/'),
    find: (file) => matchSyntax(file, (node) => isAmbient(node) && node.getText()),
    bites: { path: 'src/evidence/log.ts', text: 'const time = new Date();' },
  },
  {
    name: 'no URL of a TypeScript file, which the compiler would not rewrite',
    concerns: isCodeIn('src/'),
    find: (file) =>
      matchSyntax(
        file,
        (node) =>
          ts.isNewExpression(node) &&
          dotted(node.expression) === 'URL' &&
          /\.ts['"`]/.test(node.getText()) &&
          node.getText(),
      ),
    bites: { path: 'src/a.ts', text: "new Worker(new URL('./worker.ts', import.meta.url));" },
  },
];
