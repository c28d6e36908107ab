import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { runSteps, type Step } from '../../scripts/check.ts';

let said: string;

beforeEach(() => {
  said = '';
  jest.spyOn(console, 'log').mockImplementation((line) => void (said += `${String(line)}\n`));
});
afterEach(() => void jest.restoreAllMocks());

/** A step that prints its name and ends with this code. */
const step = (name: string, code: number): Step => ({
  name,
  command: ['node', '-e', `console.log('said by ${name}'); process.exit(${code})`],
  remedy: `mend ${name}`,
});
const [FINE, BROKEN, LATER] = [step('fine', 0), step('broken', 3), step('later', 1)];

test('steps that pass are named with their time, and say no more', () => {
  expect(runSteps([FINE], false)).toEqual([]);
  expect(said).toMatch(/^ok {3}fine \(\d+\.\d s\)\ncheck passed\n$/);
});

test('the first step that fails ends the check, with its output and what to do', () => {
  expect(runSteps([FINE, BROKEN, LATER], false)).toEqual([BROKEN]);
  expect(said).toMatch(/\nFAIL broken \(\d+\.\d s\)\n\nsaid by broken\n/);
  expect(said).toMatch(/check failed at `broken`: mend broken\n$/);
  expect(said).not.toContain('later');
});

test('told to go on, it names all that fail', () => {
  expect(runSteps([BROKEN, FINE, LATER], true)).toEqual([BROKEN, LATER]);
  expect(said).not.toContain('check passed');
});

test('a program that is not there is a failure', () => {
  const absent: Step = { name: 'absent', command: ['no-such-program'], remedy: 'install it' };
  expect(runSteps([absent], false)).toEqual([absent]);
  expect(said).toContain('ENOENT');
});
