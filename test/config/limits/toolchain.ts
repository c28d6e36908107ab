/** The limits of `toolchain`, with programs that answer as told in the place of OPA and Go. */
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findOpa, OPA_VERSION } from '../../../src/toolchain/opa.ts';
import { opaAt } from '../../../src/toolchain/opa_run.ts';
import { privateFolder } from '../../pdp/fixture.ts';
import { DEFAULTS } from '../../support/defaults.ts';
import { around, outcomeOf, type Probe, type TimeProbe } from './probe.ts';

async function withProgram(
  name: string,
  script: string,
  run: (file: string, folder: string) => Promise<unknown>,
): Promise<string> {
  const folder = privateFolder();
  const file = join(folder.path, name);
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o700);
  try {
    return await outcomeOf(() => run(file, folder.path));
  } finally {
    folder.remove();
  }
}

function runOpa(script: string, limits: Partial<typeof DEFAULTS.toolchain>): Promise<string> {
  return withProgram('opa', script, (file, cwd) =>
    opaAt(file, { ...DEFAULTS.toolchain, ...limits })(['parse'], { cwd }),
  );
}

export function outputBytes(): Promise<Probe> {
  return around(100, (amount, output_bytes_max) =>
    runOpa(`printf '%0${amount}d' 1`, { output_bytes_max }),
  );
}

export async function runTimeout(): Promise<TimeProbe> {
  return {
    soon: await runOpa('exit 0', { run_timeout_ms: 60_000 }),
    never: await runOpa('exec sleep 60', { run_timeout_ms: 100 }),
  };
}

/** Go that makes an OPA, or never comes to an end. */
export async function setupTimeout(): Promise<TimeProbe> {
  const opa = `#!/bin/sh\necho \\"Version: ${OPA_VERSION}\\"`;
  const setUp = (script: string, setup_timeout_ms: number): Promise<string> =>
    withProgram('go', script, (_file, folder) =>
      findOpa({
        ...DEFAULTS.toolchain,
        setup_timeout_ms,
        environment: { PATH: `${folder}:/usr/bin:/bin` },
        cache: join(folder, 'cache'),
        progress: () => undefined,
      }),
    );
  return {
    soon: await setUp(`printf "${opa}" > $GOBIN/opa; chmod +x $GOBIN/opa`, 60_000),
    never: await setUp('exec sleep 60', 100),
  };
}
