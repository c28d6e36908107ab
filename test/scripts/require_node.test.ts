import { readFileSync } from 'node:fs';
import { runInNewContext } from 'node:vm';
import { expect, test } from '@jest/globals';

const TOP = new URL('../../', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, TOP), 'utf8');

/** Runs the preloaded script as if it were another Node. */
function startedWith(node: string): { exit: number | undefined; said: string } {
  const seen: { exit: number | undefined; said: string } = { exit: undefined, said: '' };
  const process = {
    versions: { node },
    stdout: { on: () => {} },
    stderr: { on: () => {}, write: (text: string) => (seen.said += text) },
    exit: (code: number) => (seen.exit = code),
  };
  runInNewContext(read('scripts/require_node.js'), { process });
  return seen;
}

test.each(['24.0.0', '24.21.0', '26.1.0'])('node %s is taken', (version) => {
  expect(startedWith(version)).toEqual({ exit: undefined, said: '' });
});

test.each(['18.20.0', '20.20.2', '22.22.0'])('node %s is refused with both versions', (version) => {
  const { exit, said } = startedWith(version);
  expect(exit).toBe(2);
  expect(said).toContain(`needs node 24 or newer and was started with ${version}`);
});

test('the scripts, the command and the package need the same version', () => {
  const { engines } = JSON.parse(read('package.json')) as { engines: { node: string } };
  const needed = /NEEDED = (\d+)/;
  expect(engines.node).toBe('>=24');
  expect(needed.exec(read('scripts/require_node.js'))?.[1]).toBe('24');
  expect(needed.exec(read('bin/portcullis.js'))?.[1]).toBe('24');
});

test('every script that is TypeScript is started behind the guard', () => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
  const bare = Object.values(scripts).filter(
    (line) => line.includes('.ts') && !line.startsWith('node --import ./scripts/require_node.js '),
  );
  expect(bare).toEqual([]);
});
