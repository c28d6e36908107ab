/** The shapes that broke a router are refused by the check, or judged alike by all engines. */
import { expect, test } from '@jest/globals';
import { describeWithOpa } from '../support/toolchain.ts';
import { differenceOf } from './differences.ts';
import { call, SHAPES } from './shapes.ts';
import { AS_BUILT, askEngines, type Voice } from './voices.ts';

const cases = Object.entries(SHAPES);

describeWithOpa('the check refuses', () => {
  const faulty = cases.flatMap(([name, { files, refused }]) =>
    refused === undefined ? [] : [[name, files, refused] as const],
  );
  test.each(faulty)('%s', async (_, files, check) => {
    await expect(askEngines(files, [call()])).rejects.toMatchObject({
      code: 'RULES_REFUSED',
      message: expect.stringContaining(check),
    });
  });
});

describeWithOpa('all engines judge alike', () => {
  const judged = cases.flatMap(([name, { files, requests, outcomes, errors }]) =>
    requests && outcomes ? [[name, files, requests, { outcomes, errors }] as const] : [],
  );
  test.each(judged)('%s', async (_, files, requests, { outcomes, errors }) => {
    const voices = await askEngines(files, requests);
    expect(voices.map(differenceOf)).toEqual(requests.map(() => undefined));
    expect(voices.map(({ wasm }) => outcomeOf(wasm))).toEqual(outcomes);
    const reported = voices.map(({ opa_static }) => 'error' in opa_static);
    expect(reported).toEqual(errors ?? outcomes.map(() => false));
  });

  test('a partial object at area depth, even if it were built', async () => {
    const { files } = SHAPES['a partial object at area depth']!;
    const [voices] = await askEngines(files, [call()], { ...AS_BUILT, checked: false });
    expect(differenceOf(voices!)).toBeUndefined();
    expect(outcomeOf(voices!.wasm)).toBe('deny');
  });
});

function outcomeOf(voice: Voice): unknown {
  return 'error' in voice ? 'error' : voice.decision?.decision;
}
