/**
 * `npm run build`: makes dist/ for the package. The compiler writes JavaScript, declarations and
 * the JSON that is imported; files that are read by path are copied beside it.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';

const TOP = join(import.meta.dirname, '..');
const SOURCE = join(TOP, 'src');
const TARGET = join(TOP, 'dist');

function compile(): void {
  const tsc = join(TOP, 'node_modules/typescript/bin/tsc');
  const { status } = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], {
    cwd: TOP,
    stdio: 'inherit',
  });
  if (status !== 0) throw new Error('the sources do not compile');
}

/** Copies what the compiler left: pages, templates, data that no module imports. */
function copyOthers(): void {
  for (const name of readdirSync(SOURCE, { recursive: true, encoding: 'utf8' })) {
    const target = join(TARGET, name);
    const isOther = !name.endsWith('.ts') && statSync(join(SOURCE, name)).isFile();
    if (isOther && !existsSync(target)) cpSync(join(SOURCE, name), target);
  }
}

rmSync(TARGET, { recursive: true, force: true });
compile();
copyOthers();
