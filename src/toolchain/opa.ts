/**
 * Finds the one OPA that policies are built and tested with, or sets it up. Another version would
 * compile other bytes and might decide otherwise, so none but the pinned one is taken.
 */
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { makePrivateFolder } from '../contract/private_folder.ts';
import { systemReason } from '../contract/system_reason.ts';
import { PortcullisError } from '../errors.ts';

export const OPA_VERSION = '1.22.0';
const OPA_MODULE = `github.com/open-policy-agent/opa@v${OPA_VERSION}`;

export interface ToolchainSettings {
  /** Path of an OPA to use instead of searching. */
  opa?: string | undefined;
  /** The environment that child processes get; its PATH is searched for `opa` and `go`. */
  environment: Readonly<Record<string, string | undefined>>;
  /** Folder for an OPA that was set up once. */
  cache: string;
  /** Longest time that Go gets to build it. */
  setup_timeout_ms: number;
  /** Most that Go prints. */
  output_bytes_max: number;
  /** Told what takes longer than a moment. */
  progress: (line: string) => void;
}

/** A file that does not say by then which OPA it is, is none. */
const VERSION_TIMEOUT_MS = 10_000;

const run = promisify(execFile);

/** Path of OPA. Looks at the setting, PATH and the cache, then builds it with Go. */
export async function findOpa(settings: ToolchainSettings): Promise<string> {
  if (settings.opa) return demandVersion(settings.opa);
  const cached = join(settings.cache, `opa-${OPA_VERSION}`);
  for (const candidate of [...inPath('opa', settings), cached]) {
    if ((await versionOf(candidate)) === OPA_VERSION) return candidate;
  }
  const [go] = inPath('go', settings);
  if (!go) throw absent(settings, 'no Go to build it with');
  return installWithGo(go, cached, settings);
}

/** The version that a file answers with, or undefined if it is no OPA. */
async function versionOf(file: string): Promise<string | undefined> {
  if (!existsSync(file)) return undefined;
  try {
    const { stdout } = await run(file, ['version'], { timeout: VERSION_TIMEOUT_MS });
    return /^Version: (\S+)$/mu.exec(stdout)?.[1];
  } catch {
    return undefined;
  }
}

async function demandVersion(file: string): Promise<string> {
  const found = await versionOf(file);
  if (found === OPA_VERSION) return file;
  const message = found
    ? `PORTCULLIS_OPA is OPA ${found}, needed is ${OPA_VERSION}`
    : `PORTCULLIS_OPA does not name an OPA; needed is ${OPA_VERSION}`;
  throw new PortcullisError('TOOLCHAIN_ABSENT', message);
}

function inPath(name: string, { environment }: ToolchainSettings): string[] {
  return (environment.PATH ?? '')
    .split(delimiter)
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, name))
    .filter((file) => existsSync(file));
}

/** Go checks the module against its checksum database, so what is built is what was published. */
async function installWithGo(
  go: string,
  target: string,
  settings: ToolchainSettings,
): Promise<string> {
  settings.progress(`setting up OPA ${OPA_VERSION} with Go, once; this takes a minute or two`);
  const folder = makeInstallFolder(settings);
  try {
    const env = { ...settings.environment, GOBIN: folder };
    const { setup_timeout_ms: timeout, output_bytes_max: maxBuffer } = settings;
    await run(go, ['install', OPA_MODULE], { env, timeout, maxBuffer });
    if ((await versionOf(join(folder, 'opa'))) !== OPA_VERSION) throw new Error('another version');
    renameSync(join(folder, 'opa'), target);
    return target;
  } catch (cause) {
    throw absent(settings, 'building it with Go failed', cause);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function makeInstallFolder(settings: ToolchainSettings): string {
  try {
    makePrivateFolder(settings.cache);
    return mkdtempSync(join(settings.cache, 'go-install-'));
  } catch (cause) {
    throw absent(settings, `that folder cannot be used: ${systemReason(cause)}`, cause);
  }
}

function absent(settings: ToolchainSettings, why: string, cause?: unknown): PortcullisError {
  const message =
    `no OPA ${OPA_VERSION}: not in PORTCULLIS_OPA, not on PATH, not in ${settings.cache}, ` +
    `and ${why}; ` +
    'put that version on PATH, name it in PORTCULLIS_OPA, or install Go';
  return new PortcullisError('TOOLCHAIN_ABSENT', message, { cause });
}
