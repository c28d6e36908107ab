/**
 * Policy data as the policy library reads it: checked, with an index laid beside it, so that ten
 * thousand grants cost as little as ten (policies/mcp/index.rego reads the index).
 */
import { digestOf } from '../contract/digest.ts';
import { jsonPointer } from '../contract/json.ts';
import type { BundleMetadata, Grant, PolicyData, Projection } from '../contract/types.gen.ts';
import { VALIDATORS } from '../contract/validate.ts';
import { invalidData, isObject, type Data } from './data_files.ts';
import { checkGrants, tablesBeside } from './grant_checks.ts';
import { indexAsking, indexClients, indexGrants } from './grant_index.ts';

export interface PolicyDataParts {
  /** Data of the bundle; under `portcullis` it may hold `rules`, which the build writes. */
  own: Data;
  /** Data laid over it, root by root. */
  overlay?: Data | undefined;
  metadata?: BundleMetadata | undefined;
  /** The policy library reads the data: its roots then have a schema and get an index. */
  library: boolean;
}

export interface PreparedData {
  data: Data;
  projection: Projection;
}

/** Data there would be read as rules, or as ours. */
const RESERVED_ROOTS = ['mcp', 'portcullis'];

/** Checks the data and completes it. Throws `DATA_INVALID` with a pointer into the data. */
export function preparePolicyData(parts: PolicyDataParts): PreparedData {
  const { portcullis, ...own } = parts.own;
  const rules = readRules(portcullis);
  const data = { ...own, ...parts.overlay };
  refuseReservedRoots(data);
  const given = parts.metadata?.arguments ?? {};
  if (!parts.library) {
    const written = portcullis === undefined ? data : { ...data, portcullis: { rules } };
    return { data: written, projection: projectionOf(given, []) };
  }
  const { grants = [], ...rest } = readPolicyData(data);
  checkGrants(grants, data, rules, parts.metadata?.tables ?? []);
  checkDelegation(rest);
  const index = {
    grants: indexGrants(grants),
    asking: indexAsking(grants),
    agents: indexClients('agents', rest.agents ?? {}),
    surfaces: indexClients('surfaces', rest.surfaces ?? {}),
    tables: tablesBeside(grants, data, parts.metadata?.tables ?? []),
  };
  return {
    data: { ...rest, portcullis: { rules, index } },
    projection: projectionOf(given, grants),
  };
}

/** METADATA of the rules by id; nothing else may stand under `portcullis`. */
function readRules(portcullis: unknown): Data {
  if (portcullis === undefined) return {};
  const names = isObject(portcullis) ? Object.keys(portcullis) : [];
  const rules = isObject(portcullis) ? portcullis.rules : undefined;
  if (names.join() === 'rules' && isObject(rules)) return rules;
  throw invalidData('the data root `portcullis` is reserved', '/portcullis');
}

function refuseReservedRoots(data: Data): void {
  const root = RESERVED_ROOTS.find((name) => Object.hasOwn(data, name));
  if (root) throw invalidData(`the data root \`${root}\` is reserved`, `/${root}`);
}

function readPolicyData(data: Data): PolicyData {
  const result = VALIDATORS.policy_data(data);
  if (result.ok) return result.value;
  const { pointer, problem } = result.fault;
  throw invalidData(`the data does not fit its schema: ${problem}`, pointer);
}

/** A misspelt name would silently end every chain there. */
function checkDelegation({ agents = {} }: PolicyData): void {
  for (const [name, { delegates_to = [] }] of Object.entries(agents)) {
    const unknown = delegates_to.findIndex((next) => !Object.hasOwn(agents, next));
    if (unknown === -1) continue;
    const pointer = jsonPointer(['agents', name, 'delegates_to', String(unknown)]);
    throw invalidData('an agent delegates to one that does not exist', pointer);
  }
}

/**
 * The arguments that a PEP sends: those that the rules read, found at build, and those that the
 * regions of the grants name. A pointer ends before `*`, because each member may be meant.
 */
function projectionOf(given: Record<string, string[]>, grants: readonly Grant[]): Projection {
  const sets = new Map(Object.entries(given).map(([name, list]) => [name, new Set(list)]));
  for (const { on, within = {}, unless_within = {} } of grants) {
    for (const pointer of Object.keys({ ...within, ...unless_within })) {
      const set = sets.get(on) ?? new Set();
      sets.set(on, set.add(pointer.split('/*')[0] as string));
    }
  }
  const sorted = [...sets].sort(([a], [b]) => (a < b ? -1 : 1));
  const pointers = Object.fromEntries(sorted.map(([name, set]) => [name, [...set].sort()]));
  return { digest: digestOf(pointers), pointers };
}
