/**
 * `npm run demo`: a short story about a real server, a real client and rules that can be edited.
 * Each step says what must happen and shows the record that was made of it; a difference ends the
 * story with exit code 1. `--bundle FILE` tells it over another policy, `--verbose` shows the logs.
 */
import { evidenceLine, recordedAs } from './demo/evidence_line.ts';
import { openStage, type Played } from './demo/stage.ts';
import { STORY, type Step } from './demo/story.ts';
import { readOptions } from './options.ts';

const USAGE = `Usage: npm run demo -- [options]

Tells a short story: a real server, a real client, and rules that are edited meanwhile.

  --bundle <file>      the policy to tell it over (default: bundles/payments.tar.gz)
  --unsafe-allow-all   the bundle may allow everything
  --verbose            show what the processes log
  --help               show this`;

const { values } = readOptions(USAGE, {
  bundle: { type: 'string', default: 'bundles/payments.tar.gz' },
  'unsafe-allow-all': { type: 'boolean', default: false },
  verbose: { type: 'boolean', default: false },
});

const stage = await openStage({
  bundle: values.bundle,
  unsafe_allow_all: values['unsafe-allow-all'],
  verbose: values.verbose,
});
try {
  const wentAsTold = await tellStory();
  if (wentAsTold) process.stdout.write(`\nAll ${STORY.length} steps went as told.\n`);
  else process.exitCode = 1;
} finally {
  await stage.close();
}

async function tellStory(): Promise<boolean> {
  for (const [i, step] of STORY.entries()) {
    const played = await stage.play(step);
    tell(i + 1, step, played);
    const difference = differenceOf(step, played);
    if (difference === undefined) continue;
    process.stderr.write(`\nThe story went otherwise: ${difference}\n`);
    return false;
  }
  return true;
}

function tell(number: number, { title }: Step, { seen, records }: Played): void {
  process.stdout.write(`\n${String(number).padStart(2)}. ${title}\n    ${seen}\n`);
  for (const record of records.filter(isTold)) {
    process.stdout.write(`    evidence ${evidenceLine(record)}\n`);
  }
}

/** Reports of what became of a decision are kept, but not told. */
function isTold({ kind }: Played['records'][number]): boolean {
  return kind === 'decision' || kind === 'discovery' || kind === 'activation';
}

function differenceOf({ expected, recorded }: Step, { seen, records }: Played): string | undefined {
  if (seen !== expected) return `expected "${expected}"`;
  if (recorded === '' || records.some((record) => recordedAs(record) === recorded))
    return undefined;
  return `no record of "${recorded}"`;
}
