import { describe, expect, test } from '@jest/globals';
import type { Obligation } from '../../src/contract/types.gen.ts';
import { mergeObligations } from '../../src/decision/obligations.ts';
import { intersectPaths } from '../../src/decision/paths.ts';

const keep = (paths: string[], rest = {}): Obligation => ({
  type: 'keep_fields',
  paths,
  unstructured: 'redact',
  ...rest,
});
const mask = (mode: 'remove' | 'replace' | 'digest', paths: string[], rest = {}): Obligation => ({
  type: 'mask_fields',
  paths,
  mode,
  unstructured: 'redact',
  ...rest,
});

describe('merging duties', () => {
  test.each<[string, Obligation[], Obligation[]]>([
    ['nothing', [], []],
    ['one as it is', [keep(['/b', '/a'])], [keep(['/b', '/a'])]],
    [
      'what is kept is what all keep',
      [keep(['/a', '/b/c', '/d/*']), keep(['/a/x', '/b', '/d/y/z']), keep(['/a', '/b', '/d'])],
      [keep(['/a/x', '/b/c', '/d/y/z'])],
    ],
    ['nothing in common is nothing', [keep(['/a']), keep(['/b'])], [keep([])]],
    [
      'the strictest word on content that is not JSON',
      [keep(['/a']), keep(['/a'], { unstructured: 'drop' }), keep(['/a'])],
      [keep(['/a'], { unstructured: 'drop' })],
    ],
    [
      'what is masked is what any masks, a path in its strictest mode',
      [
        mask('digest', ['/a', '/b']),
        mask('remove', ['/b', '/c']),
        mask('replace', ['/c', '/d'], { unstructured: 'refuse' }),
      ],
      [
        mask('digest', ['/a'], { unstructured: 'refuse' }),
        mask('remove', ['/b', '/c'], { unstructured: 'refuse' }),
        mask('replace', ['/d'], { unstructured: 'refuse' }),
      ],
    ],
    [
      'all classes of patterns',
      [
        { type: 'redact_patterns', classes: ['iban', 'email'], unstructured: 'drop' },
        { type: 'redact_patterns', classes: ['email', 'card'], unstructured: 'refuse' },
      ],
      [{ type: 'redact_patterns', classes: ['card', 'email', 'iban'], unstructured: 'refuse' }],
    ],
    [
      'the lowest limits',
      [
        { type: 'limit_result', bytes_max: 10, items_max: 5 },
        { type: 'limit_result', bytes_max: 0 },
      ],
      [{ type: 'limit_result', bytes_max: 0, items_max: 5 }],
    ],
    [
      'arguments that agree',
      [
        { type: 'set_arguments', values: { a: { x: 1, y: 2 } } },
        { type: 'set_arguments', values: { a: { y: 2, x: 1 }, b: null } },
      ],
      [{ type: 'set_arguments', values: { a: { y: 2, x: 1 }, b: null } }],
    ],
    [
      'the lowest caps',
      [
        { type: 'cap_arguments', limits: { amount: 5, toString: 1 } },
        { type: 'cap_arguments', limits: { amount: 3 } },
      ],
      [{ type: 'cap_arguments', limits: { amount: 3, toString: 1 } }],
    ],
    [
      'one step up with all methods',
      [
        { type: 'step_up', acr: 'gold', amr: ['otp'] },
        { type: 'step_up', amr: ['hwk'] },
        { type: 'step_up', acr: 'gold' },
      ],
      [{ type: 'step_up', acr: 'gold', amr: ['hwk', 'otp'] }],
    ],
    [
      'the lowest rate of each key and window',
      [
        { type: 'rate_limit', key: 'a', limit: 5, window_seconds: 60 },
        { type: 'rate_limit', key: 'a', limit: 3, window_seconds: 60 },
        { type: 'rate_limit', key: 'a', limit: 9, window_seconds: 3600 },
      ],
      [
        { type: 'rate_limit', key: 'a', limit: 3, window_seconds: 60 },
        { type: 'rate_limit', key: 'a', limit: 9, window_seconds: 3600 },
      ],
    ],
    [
      'each target and level once',
      [
        { type: 'notify', target: 'b' },
        { type: 'log', level: 'warn' },
        { type: 'notify', target: 'a' },
        { type: 'notify', target: 'b' },
        { type: 'log', level: 'warn' },
      ],
      [
        { type: 'log', level: 'warn' },
        { type: 'notify', target: 'a' },
        { type: 'notify', target: 'b' },
      ],
    ],
    [
      'optional only where all are',
      [
        { type: 'log', level: 'warn', mandatory: false },
        { type: 'limit_result', items_max: 1, mandatory: false },
        { type: 'limit_result', items_max: 2, mandatory: true },
      ],
      [
        { type: 'limit_result', items_max: 1 },
        { type: 'log', level: 'warn', mandatory: false },
      ],
    ],
  ])('%s', (_title, given, merged) => {
    expect(mergeObligations(given)).toEqual(merged);
    expect(mergeObligations([...given].reverse())).toEqual(merged);
  });

  test.each<[string, Obligation[]]>([
    [
      'an argument set to two values',
      [
        { type: 'set_arguments', values: { a: 1 } },
        { type: 'set_arguments', values: { a: 2 } },
      ],
    ],
    [
      'an argument set and capped',
      [
        { type: 'set_arguments', values: { a: 1 } },
        { type: 'cap_arguments', limits: { a: 5 } },
      ],
    ],
    [
      'two levels of assurance',
      [
        { type: 'step_up', acr: 'gold' },
        { type: 'step_up', acr: 'silver' },
      ],
    ],
    [
      'more paths than a duty may hold',
      [0, 1].map((half) =>
        mask(
          'remove',
          Array.from({ length: 200 }, (_, i) => `/p${half}${i}`),
        ),
      ),
    ],
  ])('%s is a contradiction', (_title, given) => {
    expect(mergeObligations(given)).toBeUndefined();
  });
});

describe('what two sets of paths have in common', () => {
  test.each([
    [['/a'], ['/a'], ['/a']],
    [['/a'], ['/ab'], []],
    [['/a/b'], ['/a'], ['/a/b']],
    [[''], ['/a', '/b/c'], ['/a', '/b/c']],
    [[''], [''], ['']],
    [['/*'], ['/a'], ['/a']],
    [['/*/id'], ['/customers'], ['/customers/id']],
    [['/*/id'], ['/customers/*'], ['/customers/id']],
    [['/customers/*/id'], ['/customers/0'], ['/customers/0/id']],
    [['/*/a'], ['/b/*'], ['/b/a']],
    [['/*/a'], ['/*/b'], []],
    [['/a~1b/c'], ['/a~1b'], ['/a~1b/c']],
    [['/a', '/a/b'], ['/a'], ['/a']],
    [['/a/*', '/a/b'], ['/a'], ['/a/*']],
    [[], ['/a'], []],
  ])('%j and %j: %j', (a, b, common) => {
    expect(intersectPaths(a, b)).toEqual(common);
    expect(intersectPaths(b, a)).toEqual(common);
  });
});
