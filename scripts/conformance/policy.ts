/**
 * The policy of the run: the caller of the suite may do everything but what the data denies. It is
 * a policy of a user, without the library; nobody else may do anything.
 */
import { join } from 'node:path';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { writeBundle } from '../../src/bundle/files.ts';
import { loadConfiguration } from '../../src/config/load.ts';
import type { Configuration } from '../../src/config/types.gen.ts';
import type { IdentitySource, TrustedContext } from '../../src/identity/types.ts';
import { buildPolicy } from '../../src/toolchain/build.ts';
import type { Opa } from '../../src/toolchain/opa_run.ts';
import { gatherSources } from '../../src/toolchain/sources.ts';

export const CALLER = 'user:conformance';

/** Lists are asked for in the phase of discovery, as is whether a refused caller may know. */
const REGO = `package conformance

default decision := {"decision": "deny"}

decision := {"decision": "allow"} if {
	input.subject.id == "${CALLER}"
	not denied
}

denied if {
	input.action.name in data.denied
	decides
}

decides if input.context.phase == "call"

decides if endswith(input.action.name, "/list")
`;

export const identity: IdentitySource = () => WHO;

const WHO: TrustedContext = { subject: { type: 'identity', id: CALLER, properties: {} } };

/** Settings of whoever decides; their names are those of a user's configuration. */
export type Settings = (instance: string) => Configuration;

/** The bundle, and a place for the state of whoever decides by it. */
export interface Policy {
  /** For one who decides in its own process, and denies the given methods. */
  settings(denied: readonly string[]): Settings;
  remove(): void;
}

export async function buildRunPolicy(opa: Opa): Promise<Policy> {
  const folder = mkdtempSync(join(tmpdir(), 'portcullis-conformance-'));
  const files = [
    { path: 'conformance.rego', text: REGO },
    { path: 'data.json', text: JSON.stringify({ denied: [] }) },
  ];
  const built = await buildPolicy(opa, gatherSources(files, []), {
    entrypoint: 'conformance/decision',
  });
  const bundle = join(folder, 'bundle.tar.gz');
  writeFileSync(bundle, writeBundle(built.files), { mode: 0o600 });
  return {
    settings(denied) {
      const state = mkdtempSync(join(folder, 'state-'));
      const data = join(state, 'data.json');
      writeFileSync(data, JSON.stringify({ denied }), { mode: 0o600 });
      return settingsOf(state, bundle, data);
    },
    remove: () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }),
  };
}

function settingsOf(state: string, bundle: string, data: string): Settings {
  const overrides = {
    state,
    log: { level: 'error' },
    policy: { bundle, data },
    decision_point: { embedded: true },
  };
  return (instance) =>
    loadConfiguration({ names: { server: 'conformance', instance }, overrides, variables: {} });
}
