/** The policy step of `npm run check`: house style, and what `portcullis check` refuses. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { policyFolders, setUpOpa } from './test_policies.ts';

const TOP = join(import.meta.dirname, '..');

/** Runs a program and shows its output; whether it was content. */
function passes(program: string, args: readonly string[], opa: string): boolean {
  const env = { ...process.env, PORTCULLIS_OPA: opa };
  const { status } = spawnSync(program, args, { cwd: TOP, env, stdio: 'inherit' });
  return status === 0;
}

const opa = await setUpOpa();
if ('reason' in opa) {
  console.log(`needs OPA: ${opa.reason}`);
  process.exitCode = 1;
} else {
  const { path } = opa;
  const check = ['bin/portcullis.js', 'check', '--strict-style'];
  const results = policyFolders().map((folder) =>
    passes(process.execPath, [...check, folder], path),
  );
  if (results.includes(false)) process.exitCode = 1;
}
