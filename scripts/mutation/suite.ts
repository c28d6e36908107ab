/**
 * Test files that are loaded once and run as often as is asked. Jest loads all that a test needs
 * anew each time, which takes longer than most tests: here a change costs its own tests.
 */
import { globSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, getState } from 'jest-circus';
import type { Area } from './areas.ts';

type State = ReturnType<typeof getState>;
type Block = State['rootDescribeBlock'];
type Test = Extract<Block['children'][number], { type: 'test' }>;
type Hook = Block['hooks'][number];

export interface Ran {
  /** File and names, as one text. */
  id: string;
  file: string;
  duration_ms: number;
  /** What the test threw; undefined where it passed. */
  failure?: string;
}

export interface RunOptions {
  /** Which tests; all without it. */
  ids?: readonly string[] | undefined;
  /** Whether the run ends with the first test that fails. */
  bail: boolean;
  /** Before each test, and with undefined after it. */
  onTest?(id: string | undefined): void;
}

const TEST_TIMEOUT_MS = 10_000;

/** Loads the test files of an area below a folder; a file's hooks and names stay its own. */
export async function loadSuite(area: Area, folder: string): Promise<void> {
  const globals = new URL('jest_globals.ts', import.meta.url).href;
  registerHooks({
    resolve: (name, context, next) =>
      name === '@jest/globals' ? { url: globals, shortCircuit: true } : next(name, context),
  });
  const load = (name: string): Promise<unknown> =>
    import(pathToFileURL(join(folder, name)).href) as Promise<unknown>;
  const state = getState();
  const root = state.rootDescribeBlock;
  for (const shared of area.shared ?? []) await load(`${shared}.ts`);
  const patterns = area.tests.map((name) => `${name}.test.ts`);
  for (const file of globSync(patterns, { cwd: folder }).sort()) {
    describe(file, () => {});
    state.currentDescribeBlock = root.children.at(-1) as Block;
    await load(file);
    state.currentDescribeBlock = root;
  }
}

/**
 * Runs tests one after the other, with their hooks; `afterAll` waits for `endSuite`, because it
 * ends what a file made when it was loaded.
 */
export async function runSuite({ ids, bail, onTest }: RunOptions): Promise<Ran[]> {
  const chosen = ids && new Set(ids);
  const ran: Ran[] = [];
  const ended = (): boolean => bail && ran.some(({ failure }) => failure !== undefined);
  const isChosen = (test: Test): boolean =>
    test.mode !== 'skip' && test.mode !== 'todo' && (!chosen || chosen.has(idOf(test)));

  const runBlock = async (block: Block, around: readonly Block[]): Promise<void> => {
    if (block.mode === 'skip' || !testsOf(block).some(isChosen)) return;
    const blocks = [...around, block];
    const broken = await failureOf(() => runHooks([block], 'beforeAll'));
    for (const child of block.children) {
      if (ended()) break;
      if (child.type === 'describeBlock') await runBlock(child, blocks);
      else if (isChosen(child)) ran.push(await runTest(child, blocks, broken, onTest));
    }
  };
  await runBlock(getState().rootDescribeBlock, []);
  return ran;
}

/** What is left to tidy up. */
export async function endSuite(block = getState().rootDescribeBlock): Promise<void> {
  for (const child of block.children) if (child.type === 'describeBlock') await endSuite(child);
  await runHooks([block], 'afterAll');
}

async function runTest(
  test: Test,
  blocks: readonly Block[],
  broken: string | undefined,
  onTest: RunOptions['onTest'],
): Promise<Ran> {
  const id = idOf(test);
  const started_ms = performance.now();
  onTest?.(id);
  let failure = broken;
  failure ??= await failureOf(async () => {
    await runHooks(blocks, 'beforeEach');
    await within(test.fn, test.timeout);
  });
  const after = await failureOf(() => runHooks(blocks.toReversed(), 'afterEach'));
  onTest?.(undefined);
  failure ??= after;
  const duration_ms = performance.now() - started_ms;
  const file = blocks[1]?.name ?? '';
  return { id, file, duration_ms, ...(failure !== undefined && { failure }) };
}

async function runHooks(blocks: readonly Block[], type: Hook['type']): Promise<void> {
  for (const { hooks } of blocks) {
    const own = hooks.filter((hook) => hook.type === type);
    for (const { fn, timeout } of own) await within(fn, timeout);
  }
}

/** Waits for what a test or hook does; what nobody waited for is its failure as well. */
async function within(fn: unknown, timeout_ms: number | null | undefined): Promise<void> {
  const { promise, reject } = Promise.withResolvers<never>();
  promise.catch(() => {});
  const limit_ms = timeout_ms ?? TEST_TIMEOUT_MS;
  const timer = setTimeoutOf(() => reject(new Error(`over ${limit_ms} ms`)), limit_ms);
  const fail = (error: unknown): void => reject(error);
  process.on('uncaughtException', fail);
  process.on('unhandledRejection', fail);
  try {
    await Promise.race([(fn as () => unknown)(), promise]);
  } finally {
    clearTimeoutOf(timer);
    process.off('uncaughtException', fail);
    process.off('unhandledRejection', fail);
  }
}

// A test may replace them by its own.
const setTimeoutOf = setTimeout;
const clearTimeoutOf = clearTimeout;

async function failureOf(work: () => Promise<void>): Promise<string | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function testsOf(block: Block): Test[] {
  return block.children.flatMap((child) => (child.type === 'test' ? child : testsOf(child)));
}

function idOf(test: Test): string {
  const names: string[] = [test.name];
  for (let block: Block | undefined = test.parent; block?.parent; block = block.parent) {
    names.unshift(block.name);
  }
  return names.join(' › ');
}
