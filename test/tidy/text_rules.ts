/** Rules over names and lines. Forbidden words are put together, so that this file has none. */
import { isCode, matchLines, type Rule } from './rule.ts';

const FILE_LINES_MAX = 300;
const COLUMNS_MAX = 100;

/** Files that tools or readers expect under these names. */
const GIVEN_NAMES = /^(README\.md|CONTRIBUTING\.md|LICENSE|Dockerfile)$/;
const SNAKE_CASE = /^\.?[a-z0-9_]+(\.[a-z0-9_]+)*$/;
/** Names of tools, of packages and of what is published keep their hyphens. */
const FREE_NAMES = /^(package-lock\.json|\.dependency-cruiser\.js|examples\/[a-z0-9-]+)$/;
const VAGUE = /^(utils?|helpers?|common|managers?|misc)(\.\w+)*$/;

const words = (...parts: string[]): RegExp => new RegExp(`\\b(${parts.join('|')})\\b`);
const LEFT_OVER = words(
  'TO' + 'DO',
  'FIX' + 'ME',
  'XX' + 'X',
  'not imple' + 'mented',
  'for n' + 'ow',
);
const MACHINE_PATH = new RegExp(`(^|[\\s"'\`(=])/(work|root|home|tmp)/`);
const REGISTRY = new RegExp(
  ['registry\\.npm' + 'js', 'artifac' + 'tory', 'proxy\\.go' + 'lang'].join('|'),
);
const ORIGIN = new RegExp(['\\bissue #?\\d', 'clau' + 'de', 'anthro' + 'pic'].join('|'), 'i');

const everywhere = (): boolean => true;
const isWritten = (path: string): boolean => isCode(path) || path.endsWith('.rego');

export const TEXT_RULES: readonly Rule[] = [
  {
    name: `files have at most ${FILE_LINES_MAX} lines`,
    concerns: isWritten,
    find: ({ text }) => {
      const lines = text.split('\n').length - 1;
      return lines > FILE_LINES_MAX ? [{ line: lines, detail: `${lines} lines` }] : [];
    },
    bites: { path: 'src/a.ts', text: '\n'.repeat(FILE_LINES_MAX + 1) },
  },
  {
    name: `lines have at most ${COLUMNS_MAX} columns`,
    concerns: isCode,
    // An import of one name cannot be broken.
    find: (file) =>
      matchLines(file, /^(?!import ).{101,}/).map((at) => ({ ...at, detail: 'long' })),
    bites: { path: 'test/a.test.ts', text: `// ${'a'.repeat(COLUMNS_MAX)}` },
  },
  {
    name: 'names are in snake_case',
    concerns: everywhere,
    find: ({ path }) => {
      const steps = path.split('/');
      const fine = steps.every(
        (step, index) =>
          SNAKE_CASE.test(step) ||
          GIVEN_NAMES.test(step) ||
          FREE_NAMES.test(steps.slice(0, index + 1).join('/')),
      );
      return fine ? [] : [{ line: 1, detail: 'the name' }];
    },
    bites: { path: 'src/pdp/httpServer.ts', text: '' },
  },
  {
    name: 'names say what is inside',
    concerns: everywhere,
    find: ({ path }) =>
      path
        .split('/')
        .filter((step) => VAGUE.test(step))
        .map((step) => ({ line: 1, detail: `\`${step}\`` })),
    bites: { path: 'src/pdp/utils/time.ts', text: '' },
  },
  {
    name: 'nothing is left for later',
    concerns: everywhere,
    find: (file) => matchLines(file, LEFT_OVER),
    bites: { path: 'docs/a.md', text: `// ${'TO' + 'DO'}: the rest` },
  },
  {
    name: 'no path of one machine',
    concerns: everywhere,
    find: (file) => matchLines(file, MACHINE_PATH),
    bites: { path: 'docs/a.md', text: `cd ${'/ho' + 'me'}/alice/portcullis` },
  },
  {
    name: 'no registry is named',
    concerns: everywhere,
    find: (file) => matchLines(file, REGISTRY),
    bites: { path: '.npmrc', text: `registry=https://${'registry.npm' + 'js'}.org/` },
  },
  {
    name: 'files speak of the project, not of how it came to be',
    concerns: everywhere,
    find: (file) => matchLines(file, ORIGIN),
    bites: { path: 'src/a.ts', text: `// built for issue ${7}` },
  },
];
