/** `npm run bench`: measures the goals of docs/performance.md, each against its reference. */
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { measure, type BenchResult, type BenchSettings } from './bench/measure.ts';
import { writePage } from './bench/page.ts';
import { textOf } from './bench/report.ts';
import { ROWS } from './bench/rows.ts';
import { readOptions, readPositive, refuse } from './options.ts';

const USAGE = `Usage: npm run bench -- [options]

Measures each row and its reference in runs that take turns. A goal that is missed is said; a figure
that could not be measured is exit code 1.

  --rows A,B   which: ${Object.keys(ROWS).join()}
  --seconds N  of one run (2)
  --rounds N   pairs of runs (5)
  --folder F   measures on the disk of that folder
  --from F     prints what an earlier run printed with --json, and measures nothing
  --write      write docs/performance.md from the figures
  --json       print the figures as JSON, on stdout alone
  --help       show this

Example: npm run bench -- --rows http --rounds 3`;

function readSettings() {
  const { values } = readOptions(USAGE, {
    json: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    from: { type: 'string' },
    rows: { type: 'string', default: Object.keys(ROWS).join() },
    seconds: { type: 'string', default: '2' },
    rounds: { type: 'string', default: '5' },
    folder: { type: 'string', default: tmpdir() },
  });
  const rows = values.rows.split(',');
  const unknown = rows.find((row) => !Object.hasOwn(ROWS, row));
  if (unknown !== undefined) refuse(USAGE, `no row \`${unknown}\``);
  const settings: BenchSettings = {
    rows: rows as BenchSettings['rows'],
    seconds: readPositive(USAGE, 'seconds', values.seconds),
    rounds: Math.ceil(readPositive(USAGE, 'rounds', values.rounds)),
    folder: values.folder,
    progress: (line) => console.error(line),
  };
  return { ...values, settings };
}

const { json, write, from, settings } = readSettings();
const result =
  from === undefined
    ? await measure(settings)
    : (JSON.parse(readFileSync(from, 'utf8')) as BenchResult);
console.log(json ? JSON.stringify(result, undefined, 2) : textOf(result));
for (const { row, reason } of result.failures) console.error(`not measured: ${row}: ${reason}`);
if (result.failures.length > 0) process.exitCode = 1;
else if (write) await writePage(result);
