/**
 * Mutation testing of what decides, enforces and records: `npm run mutation`, and of one part of it
 * `npm run mutation -- --mutate src/evidence/log.ts`. Not part of `npm test`: whole, it takes hours.
 */
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
      roots: [
        '<rootDir>/test/contract',
        '<rootDir>/test/decision',
        '<rootDir>/test/evidence',
        '<rootDir>/test/pep',
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
