/** `npm run mutation`: changes the code piece by piece and shows what no test notices. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { AREA_NAMES, type AreaName } from './mutation/areas.ts';
import {
  forgetSurvivors,
  keyOf,
  readMeasured,
  readRun,
  rowOf,
  scoreOf,
  SCORE_MIN,
  sum,
  writeMeasured,
  type Measured,
} from './mutation/report.ts';
import { readOptions, refuse } from './options.ts';

const USAGE = `Usage: npm run mutation -- [area ...] [options]

Changes the code of each area piece by piece, runs the tests of the area against each change, and
shows the score: of 100 changes, those that a test noticed. Areas: ${AREA_NAMES.join(', ')}.
Exits 1 where a score is under ${SCORE_MIN}, and where a change that no test noticed has no reason
in scripts/mutation/<area>.json. What was noticed before is kept under .cache/mutation.

  --force  judge all changes anew, as after a change of test/support or of another area
  --last   judge by what the last run left, without a new one
  --write  write scores and survivors to scripts/mutation/<area>.json and docs/mutation.md
  --json   print the figures and survivors as JSON, on stdout alone
  --help   show this`;

const TOP = join(import.meta.dirname, '..');
const HEADS = ['Area or file', 'Score', 'Killed', 'Timeout', 'Survived', 'Not covered'];

const { values, positionals } = readOptions(USAGE, {
  force: { type: 'boolean', default: false },
  last: { type: 'boolean', default: false },
  write: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
});

function readAreas(): readonly AreaName[] {
  const unknown = positionals.find((name) => !AREA_NAMES.some((area) => area === name));
  if (unknown !== undefined) refuse(USAGE, `there is no area \`${unknown}\``);
  const chosen = AREA_NAMES.filter((area) => positionals.includes(area));
  return chosen.length === 0 ? AREA_NAMES : chosen;
}

/** Runs a program of this project; what it prints is progress. */
function run(args: readonly string[], environment: NodeJS.ProcessEnv = {}): boolean {
  const { status } = spawnSync(process.execPath, args, {
    cwd: TOP,
    env: { ...process.env, ...environment },
    stdio: ['ignore', process.stderr, process.stderr],
  });
  return status === 0;
}

function mutate(area: AreaName): Measured {
  const stryker = 'node_modules/@stryker-mutator/core/bin/stryker.js';
  const args = [stryker, 'run', ...(values.force ? ['--force'] : [])];
  if (!values.last) forgetSurvivors(area);
  if (!values.last && !run(args, { MUTATION_AREA: area })) {
    console.error(`the run over ${area} ended before its end; start it again to go on`);
    process.exit(1);
  }
  const [today = ''] = new Date().toISOString().split('T');
  return readRun(area, today, readMeasured(area).survivors);
}

function table(rows: readonly string[][]): string {
  const all = [HEADS, ...rows];
  const widths = HEADS.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  ');
  return all.map(line).join('\n');
}

function print(runs: ReadonlyMap<AreaName, Measured>): void {
  const rows = [...runs].flatMap(([area, { files }]) => [
    rowOf(area, sum(Object.values(files))),
    ...Object.entries(files).map(([file, counts]) => rowOf(`  ${file}`, counts)),
  ]);
  const total = sum([...runs.values()].flatMap(({ files }) => Object.values(files)));
  console.log(table([...rows, rowOf('in total', total)]));
}

/** What makes the run fail, a line each. */
function* faults(area: AreaName, { files, survivors }: Measured): Generator<string> {
  const score = scoreOf(sum(Object.values(files)));
  if (!(score >= SCORE_MIN)) yield `${area}: ${score.toFixed(1)} is under ${SCORE_MIN}`;
  for (const { file, line, from, to } of survivors.filter(({ reason }) => reason === '')) {
    yield `no reason: ${file}: ${line}\n    - ${from}\n    + ${to}`;
  }
}

function* noLonger(area: AreaName, { survivors }: Measured): Generator<string> {
  const found = new Set(survivors.map(keyOf));
  for (const listed of readMeasured(area).survivors) {
    if (!found.has(keyOf(listed))) yield `no longer survives: ${listed.file}: ${listed.line}`;
  }
}

const runs = new Map(readAreas().map((area) => [area, mutate(area)]));
const told = [...runs].flatMap(([area, measured]) => [...noLonger(area, measured)]);
const failures = [...runs].flatMap(([area, measured]) => [...faults(area, measured)]);
if (values.write) {
  for (const [area, measured] of runs) writeMeasured(area, measured);
  run(['scripts/generate_docs.ts']);
}
if (values.json) console.log(JSON.stringify(Object.fromEntries(runs), undefined, 2));
else {
  for (const line of [...told, ...failures]) console.log(line);
  print(runs);
}
process.exitCode = failures.length === 0 ? 0 : 1;
