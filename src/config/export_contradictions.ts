/** Settings within `evidence.exports` that cannot stand together. */
import type { Contradiction } from './contradictions.ts';
import type { Configuration } from './types.gen.ts';

export const EXPORT_CONTRADICTIONS: readonly Contradiction[] = [
  {
    names: ['evidence.exports'],
    fault: 'has two of one name',
    holds: ({ evidence }) => isDoubled(evidence.exports.map(({ name }) => name)),
  },
  {
    names: ['evidence.exports'],
    fault: 'has one without `url`, which all types but `jsonl` need',
    holds: ({ evidence }) => evidence.exports.some((each) => !isFile(each) && each.url === null),
  },
  {
    names: ['evidence.exports'],
    fault: 'has one of type `jsonl` with `url`, `token_file`, `headers_file` or `ca_file`',
    holds: ({ evidence }) =>
      evidence.exports.some(
        (each) =>
          isFile(each) &&
          [each.url, each.token_file, each.headers_file, each.ca_file].some((at) => at !== null),
      ),
  },
  {
    names: ['evidence.exports'],
    fault: 'has one with `path` that is not of type `jsonl`',
    holds: ({ evidence }) => evidence.exports.some((each) => !isFile(each) && each.path !== null),
  },
  {
    names: ['evidence.exports'],
    fault: 'has one with `partition` that is not of type `opa_decision_log`',
    holds: ({ evidence }) =>
      evidence.exports.some(
        ({ type, partition }) => type !== 'opa_decision_log' && partition !== null,
      ),
  },
  {
    names: ['evidence.exports'],
    fault: 'has one with `ca_file` whose `url` is not https',
    holds: ({ evidence }) =>
      evidence.exports.some(({ ca_file, url }) => ca_file !== null && !url?.startsWith('https:')),
  },
  {
    names: ['evidence.exports'],
    fault: 'has two of one `path`',
    holds: ({ evidence }) => isDoubled(evidence.exports.flatMap(({ path }) => path ?? [])),
  },
  {
    names: ['evidence.exports'],
    fault: 'has one whose `retry_interval_ms` is above its `retry_interval_ms_max`',
    holds: ({ evidence }) =>
      evidence.exports.some((each) => each.retry_interval_ms > each.retry_interval_ms_max),
  },
];

function isDoubled(values: readonly string[]): boolean {
  return new Set(values).size < values.length;
}

function isFile({ type }: Configuration['evidence']['exports'][number]): boolean {
  return type === 'jsonl';
}
