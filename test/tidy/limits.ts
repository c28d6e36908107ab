/** Finds the numbers in the code that limit something: by their names, and by what is done. */
import ts from 'typescript';
import { parse, type SourceFile } from './rule.ts';

/** A name that says how much, how long or how often. */
const MEASURE = new RegExp(
  '(^|_)(max|us|ms|seconds|bytes|characters|length|depth|attempts|tries|times|chunk|items|files|' +
    'at_once|timeout|interval|skew|age|count)(_|$)',
);
/** A schema is the one source of what it says, so its keywords are no second one. */
const KEYWORD = /^(min|max)(Length|Items|Properties|imum)$/;
const SIZE = /\.(length|size|byteLength)$/;
const TIMER = /(^|\.)(setTimeout|setInterval|timeout)$/;
const COMPARISONS = new Set([
  ts.SyntaxKind.LessThanToken,
  ts.SyntaxKind.LessThanEqualsToken,
  ts.SyntaxKind.GreaterThanToken,
  ts.SyntaxKind.GreaterThanEqualsToken,
  ts.SyntaxKind.EqualsEqualsEqualsToken,
]);

/** Each as `NAME = 64`, or as the expression in which a bare number stands. */
export function limitsIn(file: SourceFile): string[] {
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    const limit = namedLimit(node) ?? bareLimit(node);
    if (limit !== undefined) found.push(limit.replaceAll(/(?<=\d)_(?=\d)/g, ''));
    ts.forEachChild(node, visit);
  };
  visit(parse(file));
  return found;
}

function namedLimit(node: ts.Node): string | undefined {
  const isNamed =
    ts.isVariableDeclaration(node) ||
    ts.isPropertyAssignment(node) ||
    ts.isPropertyDeclaration(node) ||
    ts.isBindingElement(node) ||
    ts.isParameter(node);
  if (!isNamed || !node.initializer || !isAmount(node.initializer)) return undefined;
  const owner = ts.isPropertyAssignment(node) && ts.findAncestor(node, ts.isVariableDeclaration);
  const name = `${owner ? `${owner.name.getText()}.` : ''}${node.name.getText()}`;
  const isLimit = isMeasure(name) && !KEYWORD.test(node.name.getText());
  return isLimit ? `${name} = ${node.initializer.getText()}` : undefined;
}

function isMeasure(name: string): boolean {
  const words = name.replaceAll(/([a-z])([A-Z])/g, '$1_$2').replaceAll('.', '_');
  return MEASURE.test(words.toLowerCase());
}

/** A number of its own: no sum or product of others, as between seconds and milliseconds. */
function isAmount(node: ts.Expression): boolean {
  if (ts.isNumericLiteral(node)) return Number(node.text) > 1;
  if (ts.isParenthesizedExpression(node)) return isAmount(node.expression);
  if (ts.isBinaryExpression(node)) return isAmount(node.left) && isAmount(node.right);
  if (ts.isConditionalExpression(node)) return isAmount(node.whenTrue) || isAmount(node.whenFalse);
  const isChoice = ts.isCallExpression(node) && /^Math\.(min|max)$/.test(node.expression.getText());
  return isChoice && node.arguments.some(isAmount);
}

/** A length that is compared with a number or cut to it, a timer, and what a function is handed. */
function bareLimit(node: ts.Node): string | undefined {
  if (ts.isBinaryExpression(node) && COMPARISONS.has(node.operatorToken.kind)) {
    const sides = [node.left, node.right];
    const isOfSize = sides.some((side) => SIZE.test(side.getText()));
    return isOfSize && sides.some((side) => isMany(side)) ? node.getText() : undefined;
  }
  if (!ts.isCallExpression(node)) return undefined;
  const called = node.expression.getText();
  const isHanded = node.arguments.some(
    (argument, at) =>
      isMany(argument) &&
      (TIMER.test(called) ||
        (called.endsWith('.slice') && at === 1 && node.arguments[0]?.getText() === '0') ||
        isMeasure(parameterOf(node, at))),
  );
  return isHanded ? node.getText() : undefined;
}

/** A few are a shape, such as the parts of a path. */
function isMany(node: ts.Expression): boolean {
  return isAmount(node) && !(ts.isNumericLiteral(node) && Number(node.text) < 4);
}

/** The name of a parameter, where the function stands in the same file. */
function parameterOf({ expression }: ts.CallExpression, at: number): string {
  const declared = expression
    .getSourceFile()
    .statements.filter((statement) => ts.isFunctionDeclaration(statement))
    .find(({ name }) => name?.text === expression.getText());
  return declared?.parameters[at]?.name.getText() ?? '';
}
