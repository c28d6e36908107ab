/** Which requirements the tests prove: a test that proves a whole one cites its id in its name. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

export interface Requirement {
  id: string;
  text: string;
  /** The document that asks for it. */
  source: 'CARD' | 'SEP' | 'DISC' | 'ZM' | 'OURS';
}

export interface Citation {
  id: string;
  /** The test's file, from the top of the project. */
  path: string;
  title: string;
}

const TOP = join(import.meta.dirname, '..');
const TEST_CALL = /^(test|it|describe)\b/;
const TAG = /\[([A-Z]-\d{2}(?:, ?[A-Z]-\d{2})*)\]/g;

/** The manifest: each requirement once, in the order of its id's first use. */
export function readManifest(): Requirement[] {
  const path = join(TOP, 'test/requirements/requirements.json');
  return JSON.parse(readFileSync(path, 'utf8')) as Requirement[];
}

/** The citations of all test files. */
export function scanTests(): Citation[] {
  return readdirSync(join(TOP, 'test'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts'))
    .sort()
    .map((name) => `test/${name}`)
    .flatMap((path) => citationsOf(path, readFileSync(join(TOP, path), 'utf8')));
}

/** The citations in the names of one file's tests. */
export function citationsOf(path: string, text: string): Citation[] {
  const tree = ts.createSourceFile(path, text, ts.ScriptTarget.Latest);
  const found: Citation[] = [];
  const visit = (node: ts.Node): void => {
    const title = titleOf(node, tree);
    for (const [, ids = ''] of title.matchAll(TAG)) {
      found.push(...ids.split(/, ?/).map((id) => ({ id, path, title })));
    }
    ts.forEachChild(node, visit);
  };
  visit(tree);
  return found;
}

/** The name that a call of `test`, `it` or `describe` gives, with `.each` too; else nothing. */
function titleOf(node: ts.Node, tree: ts.SourceFile): string {
  if (!ts.isCallExpression(node) || !TEST_CALL.test(node.expression.getText(tree))) return '';
  const [title] = node.arguments;
  return title && (ts.isStringLiteralLike(title) || ts.isTemplateExpression(title))
    ? title.getText(tree).slice(1, -1)
    : '';
}
