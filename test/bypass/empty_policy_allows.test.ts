/** Row 8: no policy, a broken one, or one that says nothing. Others then allow. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe } from '@jest/globals';
import { openDecisionPoint } from '../../src/cli/decision_point.ts';
import { loadConfiguration } from '../../src/config/load.ts';
import type { DecisionPoint } from '../../src/contract/decision_point.ts';
import { LogLines } from '../pep/support/parts.ts';
import { privateFolder } from '../pdp/fixture.ts';
import { callOf, requestOf } from './support/bank.ts';
import { bypass, type Attack } from './support/outcome.ts';
import { guardedHttp, guardedStdio, naiveHttp, naiveStdio, type Said } from './support/targets.ts';

let folder: ReturnType<typeof privateFolder>;
const opened: DecisionPoint[] = [];
beforeAll(() => {
  folder = privateFolder();
});
afterAll(async () => {
  for (const point of opened) await point.close();
  folder.remove();
});

/** Decides in this process by what lies in a file. */
const deciding = (bundle: string) => (): DecisionPoint => {
  const load = (instance: string) =>
    loadConfiguration({
      names: { server: 'bank', instance },
      overrides: {
        state: folder.path,
        policy: { bundle: join(folder.path, bundle) },
        decision_point: { embedded: true },
      },
      variables: {},
    });
  const { point } = openDecisionPoint(load('main'), load, new LogLines());
  opened.push(point);
  return point;
};

const broken = (name: string, content: string) => (): DecisionPoint => {
  writeFileSync(join(folder.path, name), content);
  return deciding(name)();
};

const attack: Attack = async ({ say }) => {
  await say(JSON.stringify(requestOf('tools/list')));
  await say(JSON.stringify(callOf('secret')));
};

/** A guard whose rules deny: without rules it allows. */
const denied: readonly { name: string }[] = [];
const looks = {
  in: (message: Said): unknown =>
    denied.some(({ name }) => name === message.params?.name) ? undefined : message,
};

const EMPTY = {
  'a library without data': { data: {} },
  'no grants': { data: { grants: [], registry: {} } },
  'no bundle': { point: deciding('absent.tar.gz') },
  'an empty file': { point: broken('empty.tar.gz', '') },
  'an empty archive': { point: broken('zeros.tar.gz', '\u0000'.repeat(1024)) },
};

describe.each(Object.entries(EMPTY))('%s', (_policy, victim) => {
  bypass(attack, {
    held: { '1.x': guardedStdio(1, victim), '2.x': guardedHttp(2, victim) },
    breached: {
      'a guard without rules, 1.x': naiveStdio(1, { looks }),
      'a guard without rules, 2.x': naiveHttp(2, { looks }),
    },
    lawless: true,
  });
});
