/** Mutation testing of one area, named by the environment: `npm run mutation` goes through them. */
import { AREAS, chosenArea } from './scripts/mutation/areas.ts';

const area = chosenArea();

// The histories of a failing disk are run for each change.
process.env.SEEDS ??= '20';

/** @type {import('@stryker-mutator/core').PartialStrykerOptions} */
export default {
  mutate: [...AREAS[area].mutate, '!src/**/*.gen.ts'],
  plugins: ['./scripts/mutation/runner.ts'],
  testRunner: 'loaded_once',
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
  // Beside a half more than the tests of a change take.
  timeoutMS: 15_000,
  // A comment in every file would make the generated types stale.
  disableTypeChecks: false,
};
