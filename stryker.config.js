/** Mutation testing of one area, named by the environment: `npm run mutation` goes through them. */
import jest from './jest.config.js';
import { AREAS, chosenArea } from './scripts/mutation/areas.ts';

const area = chosenArea();

// The histories of a failing disk are run for each change.
process.env.SEEDS ??= '20';

/** @type {import('@stryker-mutator/core').PartialStrykerOptions} */
export default {
  mutate: [...AREAS[area].mutate, '!src/**/*.gen.ts'],
  testRunner: 'jest',
  testRunnerNodeArgs: ['--experimental-vm-modules'],
  jest: {
    config: {
      ...jest,
      // Both, or the way from a changed file through others to its tests is not seen.
      roots: ['<rootDir>/src', '<rootDir>/test'],
      testMatch: AREAS[area].tests.map((name) => `**/test/${name}.test.ts`),
      // Processes take too long for each change.
      testPathIgnorePatterns: ['test/evidence/processes'],
      // A change that lets a test hang is soon seen, and the next one needs no new process.
      testTimeout: 10_000,
    },
    enableFindRelatedTests: true,
  },
  coverageAnalysis: 'perTest',
  concurrency: Number(process.env.MUTATION_WORKERS ?? 2),
  ignorePatterns: ['dist', '.cache', '.portcullis'],
  incremental: true,
  incrementalFile: `.cache/mutation/${area}.incremental.json`,
  tempDirName: `.cache/mutation/${area}`,
  jsonReporter: { fileName: `.cache/mutation/${area}.json` },
  reporters: ['progress', 'json'],
  // `npm run mutation` judges.
  thresholds: { break: null },
  timeoutMS: 20_000,
  // A comment in every file would make the generated types stale.
  disableTypeChecks: false,
};
