/** `portcullis build DIR -o FILE`: a policy as a standard OPA bundle; same input, same bytes. */
import type { Variables } from '../config/environment.ts';
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { readBundle } from '../bundle/bundle.ts';
import { writeBundle } from '../bundle/files.ts';
import { PortcullisError } from '../errors.ts';
import { buildPolicy, type BuildOptions } from '../toolchain/build.ts';
import { verifyBundle } from './verify_bundle.ts';
import { openOpa, readPolicySources, readSettings, type PolicyOptions } from './policy_tools.ts';
import { print, printJson, printProgress, type Terminal } from './terminal.ts';

export interface BuildCommandOptions extends PolicyOptions {
  output: string;
  revision?: string;
  unsafeAllowAll?: true;
}

export async function runBuild(
  folder: string,
  options: BuildCommandOptions,
  terminal: Terminal,
  variables?: Variables,
): Promise<number> {
  const settings = readSettings(variables);
  const sources = readPolicySources(folder, options, settings.policy);
  const opa = await openOpa(terminal, settings.toolchain, variables);
  printProgress(terminal, `building ${sources.modules.length} modules`);
  const built = await buildPolicy(opa, sources, buildOptions(options));
  await verifyBundle(built.files, settings.policy.evaluation, options.unsafeAllowAll === true);
  const bytes = writeBundle(built.files);
  writeWhole(options.output, bytes);
  const result = {
    file: options.output,
    revision: built.revision,
    digest: readBundle(built.files).digest,
    size_bytes: bytes.length,
  };
  if (options.json) printJson(terminal, result);
  else print(terminal, `${result.file}: revision ${result.revision}, ${result.digest}`);
  return 0;
}

function buildOptions(options: BuildCommandOptions): BuildOptions {
  const { entrypoint, discovery, revision, unsafeAllowAll } = options;
  return { entrypoint, discovery, revision, unsafe_allow_all: unsafeAllowAll };
}

/** A running decision point may watch the file: it must never see half of it. */
function writeWhole(file: string, bytes: Uint8Array): void {
  const draft = `${file}.${process.pid}`;
  try {
    writeFileSync(draft, bytes);
    renameSync(draft, file);
  } catch (cause) {
    rmSync(draft, { force: true });
    const message = `the bundle cannot be written to \`${file}\``;
    throw new PortcullisError('ARGUMENT_INVALID', message, { cause });
  }
}
