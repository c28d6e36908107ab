/** The tool chain as tests use it: the real OPA, the real library, the real engine. */
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { preparePolicyData } from '../../src/bundle/policy_data.ts';
import { loadEngine } from '../../src/engine/engine.ts';
import { PortcullisError } from '../../src/errors.ts';
import type { Logger } from '../../src/telemetry/logger.ts';
import { checkPolicy } from '../../src/toolchain/check.ts';
import { findOpa } from '../../src/toolchain/opa.ts';
import { opaAt, type Opa } from '../../src/toolchain/opa_run.ts';
import {
  parsePolicy,
  type Finding,
  type ParsedFiles,
  type ParsedPolicy,
} from '../../src/toolchain/policy.ts';
import {
  gatherSources,
  librarySources,
  readSources,
  type SourceFile,
  type Sources,
} from '../../src/toolchain/sources.ts';
import type { TestTools } from '../../src/toolchain/test_venues.ts';
import { prerequisite } from './prerequisite.ts';
import { DEFAULTS } from './defaults.ts';

/** Where the policy library lies. */
export const LIBRARY = fileURLToPath(new URL('../../policies/mcp', import.meta.url));

export const SILENT: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => SILENT,
};

/** The OPA of this machine, found or set up as the command line does it. */
async function findOrExplain(): Promise<{ opa: Opa; file: string } | string> {
  try {
    const cache = join(homedir(), '.cache', 'portcullis');
    const file = await findOpa({
      ...DEFAULTS.toolchain,
      opa: process.env.PORTCULLIS_OPA,
      environment: process.env,
      cache,
      progress: (line) => process.stderr.write(`${line}\n`),
    });
    return { opa: opaAt(file, DEFAULTS.toolchain), file };
  } catch (error) {
    return error instanceof PortcullisError ? error.message : String(error);
  }
}

const found = await findOrExplain();

/** `describe` where there is an OPA, else a counted skip. */
export const describeWithOpa = prerequisite(
  'OPA',
  typeof found !== 'string',
  typeof found === 'string' ? found : '',
);

export const opa: Opa = (args, options) => {
  if (typeof found === 'string') throw new Error(found);
  return found.opa(args, options);
};

/** Path of the program, for a server of it. */
export function opaFile(): string {
  if (typeof found === 'string') throw new Error(found);
  return found.file;
}

/** The library with some files of an author beside it; without any, the library alone. */
export function policyOf(files: Record<string, string>): Sources {
  const author = Object.entries(files).map(([path, text]): SourceFile => ({ path, text }));
  const library = readSources(LIBRARY, DEFAULTS.policy);
  return author.length === 0 ? librarySources(library) : gatherSources(author, library);
}

const known: ParsedFiles = new Map();

export function parsed(files: Record<string, string>): Promise<ParsedPolicy> {
  return parsePolicy(opa, policyOf(files), known);
}

export async function checked(files: Record<string, string>): Promise<Finding[]> {
  return checkPolicy(opa, await parsed(files));
}

export const LIMITS = DEFAULTS.policy.evaluation;

/** What `portcullis test` needs beside OPA. */
export const TOOLS: TestTools = {
  opa,
  progress: () => undefined,
  index: (data) => preparePolicyData({ own: data, library: true }).data,
  load: async (wasm, data) => {
    const engine = await loadEngine({ wasm, data, limits: LIMITS, log: SILENT });
    return {
      evaluate: (entrypoint) => engine.evaluate(entrypoint, '{}'),
      close: () => engine.close(),
    };
  },
};
