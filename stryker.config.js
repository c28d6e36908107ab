/**
 * Mutation testing of what decides, enforces and records: `npm run mutation`, and of one part of it
 * `npm run mutation -- --mutate src/evidence/log.ts`. Not part of `npm test`: whole, it takes hours.
 */
// The histories of a failing disk are run for each change.
process.env.SEEDS ??= '20';

/** @type {import('@stryker-mutator/core').PartialStrykerOptions} */
export default {
  mutate: [
    'src/contract/**/*.ts',
    'src/decision/**/*.ts',
    'src/evidence/**/*.ts',
    'src/pep/*.ts',
    'src/pep/obligations/*.ts',
    '!src/**/*.gen.ts',
  ],
  testRunner: 'jest',
  testRunnerNodeArgs: ['--experimental-vm-modules'],
  jest: {
    config: {
      // Both, or the way from a changed file through others to its tests is not seen.
      roots: ['<rootDir>/src', '<rootDir>/test'],
      // Those that start processes or build policies take too long for each change.
      testPathIgnorePatterns: [
        'test/(bundles|cli|differential|docs|engine|examples|package)/',
        'test/(policies|requirements|scripts|tidy|toolchain)/',
        'test/evidence/processes',
      ],
    },
    enableFindRelatedTests: true,
  },
  coverageAnalysis: 'perTest',
  concurrency: 2,
  ignorePatterns: ['dist', '.cache', '.portcullis'],
  incremental: true,
  tempDirName: '.cache/stryker',
  incrementalFile: '.cache/stryker-incremental.json',
  jsonReporter: { fileName: '.cache/mutation.json' },
  reporters: ['clear-text', 'progress', 'json'],
  clearTextReporter: { allowColor: false, reportTests: false, reportMutants: true },
  thresholds: { high: 90, low: 85, break: 85 },
  timeoutMS: 20_000,
  // A comment in every file would make the generated types stale.
  disableTypeChecks: false,
};
