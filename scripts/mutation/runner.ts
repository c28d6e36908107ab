/**
 * The test runner of Stryker: the tests of an area, loaded once (suite.ts), against one change
 * after the other in the same process.
 *
 * What a change leaves behind could be noticed by a test of the next one. That a test noticed a
 * change therefore counts where the change is the first of its process, or where that test passes
 * without it; else the change is judged again in a new process.
 */
import { join } from 'node:path';
import { declareClassPlugin, PluginKind } from '@stryker-mutator/api/plugin';
import {
  determineHitLimitReached,
  DryRunStatus,
  MutantRunStatus,
  TestStatus,
  type DryRunResult,
  type MutantRunOptions,
  type MutantRunResult,
  type TestRunner,
  type TestRunnerCapabilities,
} from '@stryker-mutator/api/test-runner';
import { AREAS, chosenArea } from './areas.ts';
import { endSuite, loadSuite, type Ran, runSuite } from './suite.ts';

/** What instrumented code reads and counts (INSTRUMENTER_CONSTANTS of the API). */
interface Instrumented {
  activeMutant?: string | undefined;
  currentTestId?: string | undefined;
  mutantCoverage?: { static: object; perTest: object };
  hitCount?: number | undefined;
  hitLimit?: number | undefined;
}

const FOLDER = 'test';
const instrumented: Instrumented = {};
(globalThis as unknown as { __stryker__: Instrumented }).__stryker__ = instrumented;

class LoadedOnce implements TestRunner {
  #loaded: Promise<void> | undefined;
  #is_first = true;

  // A static change is made while modules are loaded: it needs a new process.
  capabilities(): TestRunnerCapabilities {
    return { reloadEnvironment: false };
  }

  async dryRun(): Promise<DryRunResult> {
    await this.#load();
    const ran = await runSuite({
      bail: false,
      onTest: (id) => (instrumented.currentTestId = id),
    });
    const tests = ran.map(({ id, file, duration_ms, failure }) => {
      const common = { id, name: id, timeSpentMs: duration_ms, fileName: join(FOLDER, file) };
      return failure === undefined
        ? { ...common, status: TestStatus.Success as const }
        : { ...common, status: TestStatus.Failed as const, failureMessage: failure };
    });
    const { mutantCoverage = { static: {}, perTest: {} } } = instrumented;
    return { status: DryRunStatus.Complete, tests, mutantCoverage } as DryRunResult;
  }

  async mutantRun(options: MutantRunOptions): Promise<MutantRunResult> {
    const { activeMutant, testFilter, hitLimit, mutantActivation } = options;
    instrumented.hitLimit = hitLimit;
    instrumented.hitCount = hitLimit === undefined ? undefined : 0;
    instrumented.activeMutant = mutantActivation === 'static' ? activeMutant.id : undefined;
    await this.#load();
    instrumented.activeMutant = activeMutant.id;
    const ran = await runSuite({ ids: testFilter, bail: true });
    const { hitCount } = instrumented;
    instrumented.activeMutant = undefined;
    instrumented.hitLimit = undefined;
    const limited = determineHitLimitReached(hitCount, hitLimit);
    if (limited) return { ...limited, status: MutantRunStatus.Timeout };
    return this.#judge(ran);
  }

  async dispose(): Promise<void> {
    if (this.#loaded) await endSuite();
  }

  #load(): Promise<void> {
    this.#loaded ??= loadSuite(AREAS[chosenArea()], join(process.cwd(), FOLDER));
    return this.#loaded;
  }

  async #judge(ran: readonly Ran[]): Promise<MutantRunResult> {
    const noticed = ran.find(({ failure }) => failure !== undefined);
    const is_first = this.#is_first;
    this.#is_first = false;
    if (!noticed) return { status: MutantRunStatus.Survived, nrOfTests: ran.length };
    if (!is_first && !(await passes(noticed))) {
      throw new Error('what earlier changes left may have a part in it: judged in a new process');
    }
    return {
      status: MutantRunStatus.Killed,
      killedBy: [noticed.id],
      failureMessage: noticed.failure ?? '',
      nrOfTests: ran.length,
    };
  }
}

async function passes({ id }: Ran): Promise<boolean> {
  const [again] = await runSuite({ ids: [id], bail: true });
  return again?.failure === undefined;
}

export const strykerPlugins = [
  declareClassPlugin(PluginKind.TestRunner, 'loaded_once', LoadedOnce),
];
