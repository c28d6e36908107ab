/**
 * The data of a bundle or a data folder: each `data.json` or `data.yaml` holds an object that
 * stands at the path of its folder, as in OPA. Two files may not speak of the same member.
 */
import { jsonFaultText } from '../contract/fault_text.ts';
import { JSON_LIMITS, jsonPointer, parseJson, type JsonLimits } from '../contract/json.ts';
import { PortcullisError } from '../errors.ts';
import type { BundleFiles } from './files.ts';
import { parseYaml, type YamlResult } from './yaml_data.ts';

export type Data = Record<string, unknown>;

/** Files have passed the limit of what a bundle unpacks to. */
const DATA_LIMITS: JsonLimits = { ...JSON_LIMITS, size_bytes_max: Infinity };
const DATA_FILE = /(?:^|\/)data\.(?:json|ya?ml)$/;

export function isDataFile(path: string): boolean {
  return DATA_FILE.test(path);
}

/** The data of all data files. Throws `DATA_INVALID` with the file and a pointer into the data. */
export function readData(files: BundleFiles): Data {
  const data: Data = {};
  for (const [path, bytes] of files) {
    if (isDataFile(path)) place(data, path, readDataFile(path, bytes));
  }
  return data;
}

/** The object of one file, JSON or YAML by its name. Throws `DATA_INVALID`. */
export function readDataFile(path: string, bytes: Uint8Array): Data {
  const result = path.endsWith('.json') ? parseJsonFile(bytes) : parseYaml(bytes, DATA_LIMITS);
  if (!result.ok) throw invalidData(`\`${path}\` cannot be read: ${result.why}`);
  if (!isObject(result.value)) throw invalidData(`\`${path}\` holds no object`);
  return result.value;
}

function parseJsonFile(bytes: Uint8Array): YamlResult {
  const result = parseJson(bytes, DATA_LIMITS);
  if (result.ok) return result;
  return { ok: false, why: jsonFaultText(result.fault) };
}

function place(data: Data, path: string, value: Data): void {
  const folders = path.split('/').slice(0, -1);
  const nested = folders.reduceRight<Data>((inner, folder) => ({ [folder]: inner }), value);
  merge(data, nested, path, []);
}

function merge(target: Data, source: Data, path: string, at: string[]): void {
  for (const [name, value] of Object.entries(source)) {
    const present = Object.hasOwn(target, name) ? target[name] : undefined;
    if (present === undefined) target[name] = value;
    else if (isObject(present) && isObject(value)) merge(present, value, path, [...at, name]);
    else throw invalidData(`\`${path}\` repeats a member`, jsonPointer([...at, name]));
  }
}

export function isObject(value: unknown): value is Data {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function invalidData(message: string, pointer = ''): PortcullisError {
  const where = pointer === '' ? '' : `: ${pointer}`;
  return new PortcullisError('DATA_INVALID', `${message}${where}`, { pointer });
}
