/** Finds the numbers in the code that limit something, by what they are called or compared with. */
import ts from 'typescript';
import { parse, type SourceFile } from './rule.ts';

export interface Limit {
  /** Folder under `src/`, or the file that stands in none. */
  folder: string;
  /** `JSON_LIMITS.depth_max`, or the expression where the number has no name. */
  name: string;
  /** As written. */
  value: string;
}

/** Words of a name that says how much, how long or how often. */
const MEASURES = new RegExp(
  '(^|_)(max|us|ms|seconds|bytes|characters|length|depth|attempts|tries|times|chunk|items|files|' +
    'at_once|timeout|interval|skew|age|count)(_|$)',
);
/** Keywords of JSON Schema: a schema is a place of its own for limits (rule 14 of the style). */
const KEYWORDS = /^(min|max)(Length|Items|Properties|imum)$/;
const SIZES = new Set(['length', 'size', 'byteLength']);
const COMPARISONS = new Set([
  ts.SyntaxKind.LessThanToken,
  ts.SyntaxKind.LessThanEqualsToken,
  ts.SyntaxKind.GreaterThanToken,
  ts.SyntaxKind.GreaterThanEqualsToken,
  ts.SyntaxKind.EqualsEqualsEqualsToken,
]);

/** Named limits, and lengths that are compared with or cut to a bare number. */
export function limitsIn(file: SourceFile): Limit[] {
  const found: Limit[] = [];
  const folder = file.path.split('/')[1] ?? '';
  const visit = (node: ts.Node): void => {
    const limit = namedLimit(node) ?? bareLimit(node);
    if (limit) found.push({ folder, ...limit });
    ts.forEachChild(node, visit);
  };
  visit(parse(file));
  return found;
}

type Named = Omit<Limit, 'folder'>;

function namedLimit(node: ts.Node): Named | undefined {
  if (!isDeclaration(node) || !node.initializer || !isAmount(node.initializer)) return undefined;
  const name = node.name.getText();
  if (KEYWORDS.test(name) || !MEASURES.test(snakeCase(name))) return undefined;
  const owner = ts.findAncestor(node.parent, ts.isVariableDeclaration);
  const within = owner && ts.isPropertyAssignment(node) ? `${owner.name.getText()}.` : '';
  return { name: within + name, value: plain(node.initializer) };
}

type Declaration = ts.VariableDeclaration | ts.PropertyAssignment | ts.PropertyDeclaration;

function isDeclaration(node: ts.Node): node is (Declaration | ts.BindingElement) & {
  name: ts.Node;
} {
  return (
    ts.isVariableDeclaration(node) ||
    ts.isPropertyAssignment(node) ||
    ts.isPropertyDeclaration(node) ||
    ts.isBindingElement(node) ||
    ts.isParameter(node)
  );
}

/** Holds a number of its own that is no factor, such as the thousand between seconds and ms. */
function isAmount(node: ts.Node): boolean {
  if (ts.isNumericLiteral(node)) return Number(node.text) > 1;
  if (ts.isFunctionLike(node) || ts.isObjectLiteralExpression(node)) return false;
  if (ts.isBinaryExpression(node) && isProduct(node)) {
    return isAmount(node.left) && isAmount(node.right);
  }
  return ts.forEachChild(node, (child) => isAmount(child) || undefined) ?? false;
}

function isProduct({ operatorToken: { kind } }: ts.BinaryExpression): boolean {
  return kind === ts.SyntaxKind.AsteriskToken || kind === ts.SyntaxKind.SlashToken;
}

function bareLimit(node: ts.Node): Named | undefined {
  if (ts.isBinaryExpression(node) && COMPARISONS.has(node.operatorToken.kind)) {
    const sides = [node.left, node.right];
    const number = sides.find((side) => ts.isNumericLiteral(side) && Number(side.text) > 2);
    const isOfSize = sides.some((at) => ts.isPropertyAccessExpression(at) && SIZES.has(at.name.text));
    return number && isOfSize ? { name: node.getText(), value: plain(number) } : undefined;
  }
  if (!ts.isCallExpression(node) || !/\.slice$/.test(node.expression.getText())) return undefined;
  const [from, to] = node.arguments;
  const isCut = from?.getText() === '0' && to && ts.isNumericLiteral(to) && Number(to.text) > 3;
  return isCut ? { name: node.getText(), value: plain(to) } : undefined;
}

function plain(node: ts.Node): string {
  return node.getText().replaceAll('_', '');
}

function snakeCase(name: string): string {
  return name.replaceAll(/([a-z])([A-Z])/g, '$1_$2').toLowerCase();
}
