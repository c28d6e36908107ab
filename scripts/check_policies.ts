/** The policy step of `npm run check`: house style, and what `portcullis check` refuses. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { policyFolders, setUpOpa } from './test_policies.ts';

const TOP = join(import.meta.dirname, '..');

const opa = await setUpOpa();
if ('reason' in opa) {
  console.log(`needs OPA: ${opa.reason}`);
  process.exitCode = 1;
} else {
  const env = { ...process.env, PORTCULLIS_OPA: opa.path };
  for (const folder of policyFolders()) {
    const check = ['bin/portcullis.js', 'check', '--strict-style', folder];
    const { status } = spawnSync(process.execPath, check, { cwd: TOP, env, stdio: 'inherit' });
    if (status !== 0) process.exitCode = 1;
  }
}
