/**
 * What a policy is made of: the files of the author's folder and, unless the policy brings its
 * own entrypoint, those of the library. Reads everything once, so that what is checked is what is
 * built.
 */
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parse as parseYaml } from 'yaml';
import { digestOf, digestOfBytes } from '../contract/digest.ts';
import { jsonFaultText } from '../contract/fault_text.ts';
import { JSON_LIMITS, parseJson } from '../contract/json.ts';
import { PortcullisError } from '../errors.ts';

export interface SourceFile {
  /** Path in the policy, with `/`; the library's begin with `mcp/`, the author's with `policy/`. */
  path: string;
  text: string;
}

export interface Sources {
  /** What is checked and tested: the author's folder, or the library when it is built alone. */
  subject: 'policy' | 'mcp';
  /** Rego without tests. */
  modules: SourceFile[];
  /** Rego tests of the subject (`*_test.rego`). */
  tests: SourceFile[];
  /** The data of all data files, merged. */
  data: Record<string, unknown>;
  /** `self_tests.yaml` or `.json` of the folder. */
  self_tests: unknown[];
  /** SHA-256 over the paths and contents of all files, tests too. */
  digest: string;
}

/** As a bundle has them: what is larger could not be loaded when it is built. */
export interface SourceLimits {
  /** Most files in the folder. */
  files_max: number;
  /** Largest sum of the files that are read. */
  unpacked_bytes_max: number;
}

/** A short text can unfold into gigabytes. */
const ALIASES_MAX = 100;

/** Reads a policy folder. Throws `RULES_REFUSED` or `DATA_INVALID` naming the file. */
export function readSources(folder: string, limits: SourceLimits): SourceFile[] {
  const paths = listFiles(folder, limits).filter((path) => isSource(path));
  const size_bytes = paths.reduce((sum, path) => sum + statSync(join(folder, path)).size, 0);
  if (size_bytes > limits.unpacked_bytes_max) {
    throw refused(folder, `more than ${limits.unpacked_bytes_max} bytes`);
  }
  return paths.map((path) => ({ path, text: readFileSync(join(folder, path), 'utf8') }));
}

/** Files that look like data and are not read, because only some names are. */
export function unreadFiles(folder: string, limits: SourceLimits): string[] {
  return listFiles(folder, limits).filter(
    (path) => /\.(json|ya?ml)$/u.test(path) && !isSource(path),
  );
}

/** Paths of the files below a folder, with `/`, in their order; hidden ones are passed over. */
function listFiles(folder: string, { files_max }: SourceLimits): string[] {
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) {
    throw refused(folder, 'there is no such folder');
  }
  const paths: string[] = [];
  const visit = (current: string): void => {
    for (const entry of readdirSync(join(folder, current), { withFileTypes: true }).sort(byName)) {
      if (entry.name.startsWith('.')) continue;
      const path = current === '' ? entry.name : `${current}/${entry.name}`;
      if (entry.isDirectory()) visit(path);
      else paths.push(path);
      if (paths.length > files_max) throw refused(folder, `more than ${files_max} files`);
    }
  };
  visit('');
  return paths;
}

/** The library alone, as it is checked, tested and built by itself. */
export function librarySources(library: readonly SourceFile[]): Sources {
  return gather([], library, 'mcp');
}

/** Author's files and library files as one policy. */
export function gatherSources(
  author: readonly SourceFile[],
  library: readonly SourceFile[],
): Sources {
  return gather(author, library, 'policy');
}

function gather(
  author: readonly SourceFile[],
  library: readonly SourceFile[],
  subject: Sources['subject'],
): Sources {
  const own = author.map((file) => ({ ...file, path: `policy/${file.path}` }));
  const shared = library.map((file) => ({ ...file, path: `mcp/${file.path}` }));
  const all = [...shared, ...own];
  const rego = all.filter(({ path }) => path.endsWith('.rego'));
  return {
    subject,
    modules: rego.filter(({ path }) => !isTestFile(path)),
    tests: rego.filter(({ path }) => isTestFile(path) && path.startsWith(`${subject}/`)),
    data: mergeData(own.filter(({ path }) => isDataFile(path))),
    self_tests: selfTests(own),
    digest: digestOf(all.map(({ path, text }) => `${path} ${digestOfBytes(text)}`).sort()),
  };
}

export function isTestFile(path: string): boolean {
  return path.endsWith('_test.rego');
}

function isSource(name: string): boolean {
  return name.endsWith('.rego') || isDataFile(name) || isSelfTestFile(name);
}

/** OPA's own rule: only files of this name are data. */
function isDataFile(path: string): boolean {
  return /(^|\/)data\.(json|ya?ml)$/u.test(path);
}

function isSelfTestFile(path: string): boolean {
  return /(^|\/)self_tests\.(json|ya?ml)$/u.test(path);
}

/** A data file's folder is its place in the data, as in an OPA bundle. */
function mergeData(files: readonly SourceFile[]): Record<string, unknown> {
  const merged: Record<string, unknown> = {};
  for (const file of files) {
    const value = parseData(file);
    if (!isRecord(value)) throw invalid(file.path, 'data is not an object');
    const steps = file.path.split('/').slice(1, -1);
    mergeInto(
      merged,
      steps.reduceRight<Record<string, unknown>>((inner, step) => ({ [step]: inner }), value),
      file,
    );
  }
  return merged;
}

function mergeInto(
  target: Record<string, unknown>,
  source: Record<string, unknown>,
  file: SourceFile,
): void {
  for (const [name, value] of Object.entries(source)) {
    const present = Object.hasOwn(target, name) ? target[name] : undefined;
    if (present === undefined) target[name] = value;
    else if (isRecord(present) && isRecord(value)) mergeInto(present, value, file);
    else throw invalid(file.path, `\`${name}\` is also given by another data file`);
  }
}

function selfTests(files: readonly SourceFile[]): unknown[] {
  return files
    .filter(({ path }) => isSelfTestFile(path))
    .flatMap((file) => {
      const value = parseData(file);
      if (!Array.isArray(value)) throw invalid(file.path, 'self-tests are not a list');
      return value as unknown[];
    });
}

/** JSON, or YAML read strictly and brought to I-JSON. */
function parseData(file: SourceFile): unknown {
  const json = file.path.endsWith('.json') ? file.text : yamlAsJson(file);
  const result = parseJson(json, { ...JSON_LIMITS, size_bytes_max: Infinity });
  if (result.ok) return result.value;
  const { pointer } = result.fault;
  const message = `${file.path} cannot be read: ${jsonFaultText(result.fault)}`;
  throw new PortcullisError('DATA_INVALID', message, { pointer });
}

function yamlAsJson(file: SourceFile): string {
  try {
    return JSON.stringify(
      parseYaml(file.text, { strict: true, uniqueKeys: true, maxAliasCount: ALIASES_MAX }),
    );
  } catch (cause) {
    const place = (cause as { linePos?: { line: number; col: number }[] }).linePos?.[0];
    const where = place ? `:${place.line}:${place.col}` : '';
    throw new PortcullisError('DATA_INVALID', `${file.path}${where}: not YAML`, { cause });
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function byName(a: { name: string }, b: { name: string }): number {
  return a.name < b.name ? -1 : 1;
}

function refused(path: string, why: string): PortcullisError {
  return new PortcullisError('RULES_REFUSED', `${path}: ${why}`);
}

function invalid(path: string, why: string): PortcullisError {
  return new PortcullisError('DATA_INVALID', `${path}: ${why}`);
}
