/**
 * Who may import whom. The one source of the rules that dependency-cruiser enforces
 * (.dependency-cruiser.js) and of the table in docs/architecture.md (compared by a test).
 */

export interface FolderRow {
  /** A folder or file under src/. */
  name: string;
  responsibility: string;
  /** Names of rows; `*` for all of them. */
  may_import: readonly string[];
  /** Names of rows of which only types may be imported. */
  types_of?: readonly string[];
  /** The only modules of Node that it may import, where not all that the fences leave. */
  node_modules?: readonly string[];
}

const BASE = ['contract', 'errors.ts', 'telemetry'] as const;

export const FOLDERS: readonly FolderRow[] = [
  {
    name: 'contract',
    responsibility:
      'the messages: JSON Schemas, generated types, validators, reason codes, canonical JSON',
    may_import: [],
  },
  { name: 'errors.ts', responsibility: 'one error class, one code table', may_import: [] },
  {
    name: 'config',
    responsibility: 'reads environment and file once, validates, freezes',
    may_import: ['contract', 'errors.ts'],
  },
  {
    name: 'telemetry',
    responsibility: 'logs, redaction, correlation ids, metrics; others are handed a `Logger`',
    may_import: ['contract', 'errors.ts'],
  },
  {
    name: 'identity',
    responsibility: 'turns a credential into a subject with its evidence',
    may_import: BASE,
  },
  {
    name: 'store',
    responsibility: 'durable rows: one query layer over SQLite and PostgreSQL, migrations',
    may_import: BASE,
  },
  {
    name: 'toolchain',
    responsibility: 'finds or sets up OPA; formats, checks, tests and builds policies',
    may_import: [...BASE, 'bundle', 'engine'],
  },
  {
    name: 'bundle',
    responsibility: 'format, digests, sources and activation of policy bundles',
    may_import: BASE,
  },
  {
    name: 'engine',
    responsibility: 'the only importer of opa-wasm: instances, host builtins, limits, quarantine',
    may_import: [...BASE, 'bundle'],
  },
  {
    name: 'decision',
    responsibility: 'the pure core: request to decision; and the backends behind `DecisionPoint`',
    may_import: ['contract', 'errors.ts'],
    types_of: ['engine', 'approvals', 'evidence'],
  },
  {
    name: 'approvals',
    responsibility: 'request, grant, refuse, expire, consume once',
    may_import: [...BASE, 'store'],
  },
  {
    name: 'evidence',
    responsibility: 'records, masking, the log and its sinks',
    may_import: BASE,
  },
  {
    name: 'outcomes',
    responsibility: 'keeps what a guard did with decisions until the decision point recorded it',
    may_import: [...BASE, 'evidence'],
  },
  {
    name: 'verify',
    responsibility:
      'proves receipts and logs to who trusts a public key only; reads bytes, no files',
    may_import: ['contract'],
    node_modules: ['crypto'],
  },
  {
    name: 'witness',
    responsibility: 'follows logs, cosigns what kept its past, remembers what it cosigned',
    may_import: [...BASE, 'verify'],
  },
  {
    name: 'pdp',
    responsibility: 'the HTTP service: one file for each endpoint, authentication, health',
    may_import: [...BASE, 'identity', 'decision', 'approvals', 'evidence', 'bundle'],
  },
  {
    name: 'pep',
    responsibility: 'enforcement for any MCP server; the SDK bindings stand in `pep/mcp`',
    may_import: [...BASE, 'identity'],
  },
  {
    name: 'gateway',
    responsibility: 'servers nobody can change, behind one governed endpoint',
    may_import: [...BASE, 'identity', 'pep'],
  },
  {
    name: 'hub',
    responsibility: 'micro-MCP manifests and lifecycle, sandboxes, credentials, egress',
    may_import: [...BASE, 'identity', 'store', 'pep'],
  },
  {
    name: 'console',
    responsibility: 'the web page and its JSON routes',
    may_import: ['contract', 'errors.ts'],
  },
  {
    name: 'cli',
    responsibility: 'arguments, and the places where concrete classes are put together',
    may_import: ['*'],
  },
  { name: 'index.ts', responsibility: 'what users import', may_import: ['*'] },
];

/** Packages, each with the folders that may import it. A package without a row is refused. */
export const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  '@modelcontextprotocol/client': ['pep/mcp', 'gateway', 'hub'],
  '@modelcontextprotocol/sdk': ['pep/mcp', 'gateway', 'hub'],
  '@modelcontextprotocol/server': ['pep/mcp', 'gateway', 'hub'],
  '@open-policy-agent/opa-wasm': ['engine'],
  ajv: ['contract'],
  commander: ['cli'],
  express: ['pdp', 'console', 'gateway', 'hub'],
  jose: ['identity', 'bundle', 'evidence'],
  kysely: ['store'],
  pg: ['store'],
  undici: ['decision/http'],
  winston: ['telemetry'],
  yaml: ['config', 'bundle', 'toolchain'],
  zod: ['pep/mcp', 'gateway', 'hub'],
};

/** Modules of Node, each with the folders that may import it; all others are free. */
export const NODE_MODULES: Readonly<Record<string, readonly string[]>> = {
  child_process: ['hub/sandbox', 'gateway', 'toolchain', 'cli'],
  sqlite: ['store', 'evidence/lock.ts', 'evidence/index/database.ts', 'witness/state.ts'],
};
