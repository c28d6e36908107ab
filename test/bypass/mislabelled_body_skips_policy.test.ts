/** Row 2: a body that its headers do not call JSON, or that another reader reads otherwise. */
import { describe } from '@jest/globals';
import { callOf } from './support/bank.ts';
import type { HttpWire } from './support/doors.ts';
import { lenientHttp } from './support/lenient.ts';
import { bypass, type Attack } from './support/outcome.ts';
import { guardedEndpoints, type Check, type Said } from './support/targets.ts';

const CALL = JSON.stringify(callOf('secret'));
const namesSecret = ({ params }: Said): boolean => params?.name === 'secret';
const named = (text: string): boolean => namesSecret(JSON.parse(text));

/** What does not say that it is JSON is not for this guard. */
const readsWhatIsCalledJson: Check = ({ headers, text }) =>
  !headers.get('content-type')?.startsWith('application/json') || !named(text);

/** What it cannot read it leaves to the server. */
const readsWhatItCan: Check = ({ headers, body }) => {
  const charset = /charset=([-\w]+)/.exec(headers.get('content-type') ?? '')?.[1] ?? 'utf-8';
  try {
    return !named(new TextDecoder(charset, { fatal: true, ignoreBOM: true }).decode(body));
  } catch {
    return true;
  }
};

const UTF8 = 'application/json';
const BODIES: [string, string, string | Uint8Array, Check][] = [
  ['called text', 'text/plain', CALL, readsWhatIsCalledJson],
  ['called nothing', '', Buffer.from(CALL), readsWhatIsCalledJson],
  ['called JSON by a parameter', `text/plain; as=${UTF8}`, CALL, readsWhatIsCalledJson],
  ['said to be UTF-16', `${UTF8}; charset=utf-16le`, CALL, readsWhatItCan],
  ['after a byte order mark', UTF8, `\ufeff${CALL}`, readsWhatItCan],
  [
    'with bytes that are no UTF-8',
    UTF8,
    Buffer.from(CALL.replace('"attack"', '"\u00ff"'), 'latin1'),
    readsWhatItCan,
  ],
];

describe.each(BODIES)('a forbidden call in a body %s', (_what, type, body, check) => {
  const attack: Attack<HttpWire> = ({ say }) => say(body, { 'content-type': type });
  bypass(attack, {
    held: guardedEndpoints(),
    breached: { 'a guard that goes by the label': lenientHttp(check) },
  });
});
