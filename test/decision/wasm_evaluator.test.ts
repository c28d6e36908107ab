/** What a compiled policy is asked, as its engine sees it. */
import { expect, test } from '@jest/globals';
import type { MaskEvent } from '../../src/decision/types.ts';
import { WasmPolicy } from '../../src/decision/wasm_evaluator.ts';
import { NOW } from '../support/decisions.ts';

const EVENT = {
  decision_id: 'id-1',
  input: { subject: { id: 'a' } },
  result: true,
  requested_by: 'guard',
  timestamp: NOW,
};

function pathOf(about: MaskEvent['about'], discovery: string | undefined): unknown {
  const asked: [string, unknown][] = [];
  const policy = new WasmPolicy({
    engine: {
      entrypoints: [],
      evaluate: (entrypoint, text) => asked.push([entrypoint, JSON.parse(text)]),
      close: () => undefined,
    },
    entrypoints: { decision: 'a/allow', discovery, mask: 'a/mask' },
    identity: { revision: 'r1', digest: 'd' },
    projection: { digest: 'd', pointers: {} },
    activated_at: NOW,
    unsafe_allow_all: false,
  });
  policy.mask?.({ ...EVENT, about });
  expect(asked).toEqual([['a/mask', { ...EVENT, path: expect.any(String) }]]);
  const [[, sent] = []] = asked;
  return (sent as { path: unknown } | undefined)?.path;
}

test.each<[MaskEvent['about'], string | undefined, string]>([
  ['decision', 'a/list', 'a/allow'],
  ['discovery', 'a/list', 'a/list'],
  ['discovery', undefined, 'a/allow'],
])('a mask of a %s is told the entrypoint (listing by %s) as %s', (about, discovery, path) => {
  expect(pathOf(about, discovery)).toBe(path);
});
