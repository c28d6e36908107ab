/** The shape of a tidy rule, and how it sees a file. */
import ts from 'typescript';

export interface SourceFile {
  /** From the top of the project, with slashes. */
  path: string;
  text: string;
}

export interface Problem {
  /** Counted from 1. */
  line: number;
  detail: string;
}

/** A rule brings the sample that it must refuse: a rule that cannot bite proves nothing. */
export interface Rule {
  name: string;
  concerns(path: string): boolean;
  find(file: SourceFile): Problem[];
  bites: SourceFile;
}

const CODE = /^(src|test|scripts|examples|bin)\/.*\.(ts|js)$/;
const GENERATED = /\.gen\.ts$/;

/** Code that people write. */
export function isCode(path: string): boolean {
  return CODE.test(path) && !GENERATED.test(path);
}

/** Code under one of the folders. */
export function isCodeIn(...folders: string[]): (path: string) => boolean {
  return (path) => isCode(path) && folders.some((folder) => path.startsWith(folder));
}

/** A problem for each line that the pattern matches. */
export function matchLines(file: SourceFile, pattern: RegExp): Problem[] {
  return file.text.split('\n').flatMap((text, index) => {
    const match = pattern.exec(text);
    return match ? [{ line: index + 1, detail: `\`${match[0]}\`` }] : [];
  });
}

const parsed = new WeakMap<SourceFile, ts.SourceFile>();

export function parse(file: SourceFile): ts.SourceFile {
  const known = parsed.get(file);
  if (known) return known;
  const tree = ts.createSourceFile(file.path, file.text, ts.ScriptTarget.Latest, true);
  parsed.set(file, tree);
  return tree;
}

/** A problem for each syntax node that the judge objects to, with its reason. */
export function matchSyntax(
  file: SourceFile,
  judge: (node: ts.Node, tree: ts.SourceFile) => string | false,
): Problem[] {
  const tree = parse(file);
  const problems: Problem[] = [];
  const visit = (node: ts.Node): void => {
    const detail = judge(node, tree);
    if (detail !== false) problems.push({ line: lineOf(tree, node.getStart(tree)), detail });
    ts.forEachChild(node, visit);
  };
  visit(tree);
  return problems;
}

export function lineOf(tree: ts.SourceFile, position: number): number {
  return tree.getLineAndCharacterOfPosition(position).line + 1;
}
