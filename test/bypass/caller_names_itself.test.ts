/** Row 11: a caller says who it is, what it may do and how sensitive its call is. */
import { describe } from '@jest/globals';
import { EXTENSION } from '../../src/pep/answers.ts';
import { callOf } from './support/bank.ts';
import type { HttpWire } from './support/doors.ts';
import { bypass, type Attack } from './support/outcome.ts';
import {
  guardedDoors,
  guardedEndpoints,
  naiveHttp,
  naiveStdio,
  type Check,
  type Said,
} from './support/targets.ts';

const CLAIM = {
  principal: 'user:carol',
  groups: ['auditors'],
  role: 'admin',
  actor_type: 'human',
  clearance: 'secret',
  decision: 'allow',
};

const claiming = (params: object): object => {
  const call = callOf('secret') as Said;
  return { ...call, params: { ...call.params, ...params } };
};
const PLACES: [string, object, (message: Said) => Said][] = [
  ['in its params', claiming(CLAIM), ({ params }) => params],
  ['in its metadata', claiming({ _meta: CLAIM }), ({ params }) => params._meta],
  [
    'under our extension',
    claiming({ _meta: { [EXTENSION]: CLAIM } }),
    ({ params }) => params._meta?.[EXTENSION],
  ],
  ['in its arguments', callOf('secret', CLAIM), ({ params }) => params.arguments],
];

/** Who says that they are an auditor may call the tool of auditors. */
const believing = (claimOf: (message: Said) => Said) => ({
  in: (message: Said): unknown =>
    message.params?.name !== 'secret' || claimOf(message)?.groups?.includes('auditors')
      ? message
      : undefined,
});

describe.each(PLACES)('a claim of a call, %s', (_place, message, claimOf) => {
  const attack: Attack = ({ say }) => say(JSON.stringify(message));
  bypass(attack, {
    held: guardedDoors(),
    breached: { 'a guard that believes it': naiveStdio(1, { looks: believing(claimOf) }) },
  });
});

const HEADERS: Record<string, string>[] = [
  { 'x-user': 'carol', 'x-groups': 'auditors' },
  { 'x-forwarded-user': 'carol', 'x-forwarded-groups': 'auditors' },
  { 'mcp-principal': 'user:carol' },
  { authorization: 'Bearer alice, Bearer carol' },
];

describe.each(HEADERS)('a claim of the headers %j', (headers) => {
  const attack: Attack<HttpWire> = ({ say }) => say(JSON.stringify(callOf('secret')), headers);
  const check: Check = (seen) =>
    !seen.text.includes('"secret"') || JSON.stringify([...seen.headers]).includes('carol');
  bypass(attack, {
    held: guardedEndpoints(),
    breached: { 'a guard that believes them': naiveHttp(1, { check }) },
  });
});
