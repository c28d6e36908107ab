/** `npm run soak`: minutes of mixed load on a real decision service, and what it left. */
import { readOptions, readPositive } from './options.ts';
import { judgeEvidence, judgeMemory } from './soak/judge.ts';
import { soak, type SoakSettings } from './soak/run.ts';
import { NODE_FLAGS, startSoakedService } from './soak/service.ts';

const USAGE = `Usage: npm run soak -- [options]

Puts a real decision service under a mix of proper and hostile requests while its data is replaced.
Exits 1 where an answer was not the right one, where what was told does not stand in the evidence,
or where memory grows.

  --seconds N  how long (600)
  --rate N     requests a second (500)
  --callers N  connections side by side (16)
  --seed N     repeats the questions of a run (1)
  --json       print the summary as JSON, on stdout alone
  --help       show this

Example: npm run soak -- --seconds 60 --rate 300`;

const { values } = readOptions(USAGE, {
  seconds: { type: 'string', default: '600' },
  rate: { type: 'string', default: '500' },
  callers: { type: 'string', default: '16' },
  seed: { type: 'string', default: '1' },
  json: { type: 'boolean', default: false },
});

/** Numerical Recipes' linear congruence; its high bits, so that a seed repeats the questions. */
function seeded(seed: number): (limit: number) => number {
  let state = seed >>> 0;
  return (limit) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

interface Summary {
  passed: boolean;
  failures: string[];
  [figure: string]: unknown;
}

async function runSoak(settings: SoakSettings): Promise<Summary> {
  const service = await startSoakedService();
  try {
    const seen = await soak(service, settings);
    const exit_code = await service.stop();
    const memory = judgeMemory(seen.rss_bytes);
    const evidence = await judgeEvidence(service.evidence, seen.told);
    const { told, rss_bytes, wrong, wrong_count, ...counts } = seen;
    const failures = [
      ...wrong.map((fault) => `a wrong answer: ${fault}`),
      ...evidence.missing.slice(0, 20).map((id) => `no record of what was told under ${id}`),
      ...service.errors.slice(0, 20).map((line) => `the service logged: ${line}`),
      ...(evidence.untold > seen.broken_off * 4 ? ['more was recorded than was asked'] : []),
      ...(memory.is_flat ? [] : ['memory grows']),
      ...(exit_code === 0 ? [] : [`the service ended with ${exit_code}`]),
      ...(told.size === 0 ? ['nothing was decided'] : []),
    ];
    return {
      passed: failures.length === 0,
      failures,
      seconds: settings.seconds,
      ...counts,
      wrong: wrong_count,
      told: told.size,
      records: evidence.records,
      untold: evidence.untold,
      missing: evidence.missing.length,
      node_flags: NODE_FLAGS.join(' '),
      rss_samples: rss_bytes.length,
      ...memory,
    };
  } finally {
    service.remove();
  }
}

const progress = (line: string): void => void process.stderr.write(`${line}\n`);
const summary = await runSoak({
  seconds: readPositive(USAGE, 'seconds', values.seconds),
  rate: readPositive(USAGE, 'rate', values.rate),
  callers: readPositive(USAGE, 'callers', values.callers),
  below: seeded(Number(values.seed)),
  progress,
});
if (values.json) console.log(JSON.stringify(summary, undefined, 2));
else {
  for (const [name, figure] of Object.entries(summary)) {
    if (!Array.isArray(figure)) console.log(`${name}: ${String(figure)}`);
  }
  for (const failure of summary.failures) console.log(`FAIL ${failure}`);
}
process.exitCode = summary.passed ? 0 : 1;
