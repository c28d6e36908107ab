/**
 * `npm run conformance`: the official suite against fixtures of both SDK lines, alone and behind
 * the guard with a policy that allows everything, side by side. Exits 1 where a fixture alone does
 * not pass what its revisions require, or where a check finds something else behind the guard.
 */
import { openOpa } from '../src/cli/policy_tools.ts';
import { buildRunPolicy } from './conformance/policy.ts';
import { tableOf } from './conformance/report.ts';
import { faultsOf, sideBySide, type Row } from './conformance/rows.ts';
import { readOptions } from './options.ts';

const USAGE = `Usage: npm run conformance -- [options]

Runs the official suite against servers of both SDK lines, without and with the guard.

  --json      print the figures as JSON
  --help      show this`;

const { values } = readOptions(USAGE, { json: { type: 'boolean', default: false } });

const progress = (line: string): void => void process.stderr.write(`${line}\n`);
const policy = await buildRunPolicy(await openOpa(process));
try {
  tell(await sideBySide(policy, progress));
} finally {
  policy.remove();
}

function tell(rows: readonly Row[]): void {
  const faults = rows.flatMap((row) =>
    faultsOf(row).map((fault) => `${row.fixture}, ${row.revision}, ${fault}`),
  );
  if (values.json) console.log(JSON.stringify({ met: faults.length === 0, rows }, undefined, 2));
  else console.log([tableOf(rows), ...faults].join('\n'));
  process.exitCode = faults.length === 0 ? 0 : 1;
}
