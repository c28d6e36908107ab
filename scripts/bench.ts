/**
 * `npm run bench`: measures the goals of docs/performance.md, each against its reference in runs
 * that take turns. `--json` prints the figures, `--write` writes the document from them, `--rows`
 * and `--seconds`, `--rounds` shorten it, `--folder` names another disk. A goal that is missed is
 * said; a figure that could not be measured is exit code 1.
 */
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { parseArgs } from 'node:util';
import { measure, type BenchResult, type BenchSettings } from './bench/measure.ts';
import { textOf } from './bench/report.ts';
import { writePage } from './bench/page.ts';
import { ROWS } from './bench/rows.ts';

function readSettings() {
  const { values } = parseArgs({
    options: {
      json: { type: 'boolean', default: false },
      write: { type: 'boolean', default: false },
      from: { type: 'string' },
      rows: { type: 'string', default: Object.keys(ROWS).join() },
      seconds: { type: 'string', default: '2' },
      rounds: { type: 'string', default: '5' },
      folder: { type: 'string', default: tmpdir() },
    },
  });
  const rows = values.rows.split(',');
  const unknown = rows.find((row) => !Object.hasOwn(ROWS, row));
  if (unknown !== undefined) throw new Error(`no row \`${unknown}\`: ${Object.keys(ROWS).join()}`);
  const settings: BenchSettings = {
    rows: rows as BenchSettings['rows'],
    seconds: positive('seconds', values.seconds),
    rounds: Math.ceil(positive('rounds', values.rounds)),
    folder: values.folder,
    progress: (line) => console.error(line),
  };
  return { ...values, settings };
}

function positive(name: string, text: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && value > 0) return value;
  throw new Error(`--${name} takes a number above 0`);
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
