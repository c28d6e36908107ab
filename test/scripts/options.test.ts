import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from '@jest/globals';

const GUARD = ['--import', './scripts/require_node.js'];

function script(name: string, ...argv: string[]) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [...GUARD, `scripts/${name}.ts`, ...argv],
    { encoding: 'utf8' },
  );
  return { status, stdout, stderr };
}

const SCRIPTS = [
  ['demo', 'npm run demo'],
  ['mutation', 'npm run mutation'],
  ['start', 'npm start'],
  ['requirements', 'npm run requirements'],
  ['conformance', 'npm run conformance'],
  ['soak', 'npm run soak'],
  ['bench', 'npm run bench'],
];

test.each(SCRIPTS)('%s --help says how it is used, and does nothing else', (name, command) => {
  const { status, stdout, stderr } = script(name, '--help');
  expect([status, stderr]).toEqual([0, '']);
  expect(stdout).toMatch(new RegExp(`^Usage: ${command} --( \\[[\\w .]+\\])+\n\n[A-Z]`));
  expect(stdout).toContain('--help');
});

test.each(SCRIPTS)('%s names an option that it does not have', (name, command) => {
  const { status, stdout, stderr } = script(name, '--halp');
  expect([status, stdout]).toEqual([2, '']);
  expect(stderr).toContain("Unknown option '--halp'");
  expect(stderr).toContain(`Usage: ${command}`);
});

test.each([['x'], ['65536'], ['1', '2']])('start refuses %j as its port', (...ports) => {
  const { status, stderr } = script('start', ...ports);
  expect(status).toBe(2);
  expect(stderr).toMatch(/^one port may be given, from 0 to 65535\n\nUsage: /);
});

test.each([
  ['soak', 'rate', '0'],
  ['soak', 'seconds', 'long'],
  ['soak', 'callers', '-1'],
  ['bench', 'rounds', ''],
  ['bench', 'seconds', 'Infinity'],
])('%s refuses --%s %j', (name, option, value) => {
  const { status, stdout, stderr } = script(name, `--${option}=${value}`);
  expect([status, stdout]).toEqual([2, '']);
  expect(stderr).toMatch(new RegExp(`^--${option} takes a number above 0\n\nUsage: `));
});

test('mutation refuses an area that there is not', () => {
  const { status, stdout, stderr } = script('mutation', 'contract', 'docs');
  expect([status, stdout]).toEqual([2, '']);
  expect(stderr).toMatch(/^there is no area `docs`\n\nUsage: /);
});

test('a closed stdout ends a script quietly', async () => {
  const child = spawn(process.execPath, [...GUARD, 'scripts/requirements.ts'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.stdout.destroy();
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const [code] = (await once(child, 'close')) as [number | null];
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
});
