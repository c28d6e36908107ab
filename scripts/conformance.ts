/**
 * `npm run conformance`: the official suite against fixtures of both SDK lines, alone and behind
 * the guard with a policy that allows everything, side by side. Exits 1 where a fixture alone does
 * not pass what its revisions require, or where a check finds something else behind the guard.
 * `--denials` runs it behind policies that deny one method each, and exits 1 where other scenarios
 * fail than the table predicts.
 */
import { openOpa, readSettings } from '../src/cli/policy_tools.ts';
import { denyEach, DENIED_METHODS, faultsOfDenial } from './conformance/deny.ts';
import { FIXTURES, type Fixture } from './conformance/fixtures.ts';
import { buildRunPolicy } from './conformance/policy.ts';
import { denialTableOf, notesOf, tableOf } from './conformance/report.ts';
import { faultsOf, sideBySide } from './conformance/rows.ts';
import { REVISIONS } from './conformance/suite.ts';
import { readOptions } from './options.ts';

const USAGE = `Usage: npm run conformance -- [options]

Runs the official MCP suite against servers of both SDK lines, without and with the guard.

  --denials   deny one method at a time, and hold what fails to what is predicted
  --json      print the figures as JSON
  --help      show this`;

const { values } = readOptions(USAGE, {
  denials: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
});

const progress = (line: string): void => void process.stderr.write(`${line}\n`);
const policy = await buildRunPolicy(await openOpa(process, readSettings().toolchain));
try {
  if (values.denials) {
    const rows = await each((fixture) => denyEach(fixture, DENIED_METHODS, policy, progress));
    tell(rows, denialTableOf(rows), faultsOfDenial);
  } else {
    const rows = await each((fixture) => sideBySide(fixture, REVISIONS, policy, progress));
    tell(rows, [tableOf(rows), ...rows.flatMap(notesOf)].join('\n'), faultsOf);
  }
} finally {
  policy.remove();
}

async function each<R>(run: (fixture: Fixture) => Promise<R[]>): Promise<R[]> {
  const rows: R[] = [];
  for (const fixture of FIXTURES) rows.push(...(await run(fixture)));
  return rows;
}

interface Placed {
  fixture: string;
  revision: string;
  method?: string;
}

function tell<R extends Placed>(
  rows: readonly R[],
  table: string,
  faultsIn: (row: R) => string[],
): void {
  const faults = rows.flatMap((row) => {
    const place = [row.fixture, row.revision, row.method].filter((part) => part !== undefined);
    return faultsIn(row).map((fault) => `FAIL ${place.join(', ')}: ${fault}`);
  });
  const met = faults.length === 0;
  if (values.json) console.log(JSON.stringify({ met, rows }, undefined, 2));
  else console.log([table, ...faults].join('\n'));
  process.exitCode = met ? 0 : 1;
}
