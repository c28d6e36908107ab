/** Policy files (C2SP tlog-policy): what they may say, and which witnesses are enough. */
import { describe, expect, test } from '@jest/globals';
import { isQuorumMet, parsePolicy } from '../../src/verify/policy.ts';
import { logSigner, sha256, witnessSigner } from '../support/small_log.ts';
import { outcomeOf } from './fixture.ts';

const LOG = logSigner('example.com/log').vkey;
const KEYS = Object.fromEntries(
  ['X1', 'X2', 'X3', 'Y1', 'Y2', 'Y3'].map((name) => [name, witnessSigner(`${name}.example`).vkey]),
);
const WITNESSES = Object.entries(KEYS)
  .map(([name, vkey]) => `witness ${name} ${vkey}\n`)
  .join('');
const read = (text: string) => parsePolicy(Buffer.from(text));

/** The shape of the example of the specification. */
const TWO_LEVELS = `# two organisations
log ${LOG} https://log.example.com/
\t
${WITNESSES}group X-witnesses 2 X1 X2 X3
group Y-witnesses any Y1 Y2 Y3

group X-and-Y all X-witnesses Y-witnesses
quorum X-and-Y
`;

describe('two of X and one of Y', () => {
  const policy = read(TWO_LEVELS);
  test.each([
    [['X1', 'X2', 'Y3'], true],
    [['X1', 'X2', 'X3', 'Y1', 'Y2'], true],
    [['X1', 'X2', 'X3'], false],
    [['X1', 'Y1', 'Y2', 'Y3'], false],
    [[], false],
  ])('%j is enough: %p', (names, is_enough) => {
    const cosigned = names.flatMap((name) => policy.witnesses.get(name) ?? []);
    expect(isQuorumMet(policy, new Set(cosigned))).toBe(is_enough);
  });

  test('its log is listed', () => {
    expect(policy.logs.map(({ name }) => name)).toEqual(['example.com/log']);
  });
});

test('a single witness can be the quorum, and none can', () => {
  const one = read(`${WITNESSES}quorum X1\n`);
  expect(isQuorumMet(one, new Set())).toBe(false);
  expect(isQuorumMet(one, new Set(one.witnesses.values()))).toBe(true);
  expect(isQuorumMet(read('quorum none\n'), new Set())).toBe(true);
});

test('names are octets: a Kelvin sign is no K', () => {
  const policy = `witness \u212a ${KEYS['X1']}\n`;
  expect(outcomeOf(() => read(`${policy}quorum \u212a\n`))).toBe(true);
  expect(outcomeOf(() => read(`${policy}quorum K\n`))).toBe('POLICY_MALFORMED');
});

test('a witness with a key of ML-DSA-44 is known, and never counts', () => {
  const material = Buffer.concat([Buffer.of(6), Buffer.alloc(1312, 7)]);
  const id = sha256(Buffer.from('w\n'), material).toString('hex', 0, 4);
  const policy = read(`witness w w+${id}+${material.toString('base64')}\nquorum w\n`);
  expect(policy.witnesses.get('w')?.type).toBe(6);
  expect(isQuorumMet(policy, new Set())).toBe(false);
});

test.each([
  ['no quorum', WITNESSES],
  ['two quorums', 'quorum none\nquorum none\n'],
  ['an unknown quorum', 'quorum X9\n'],
  ['a quorum of two names', `${WITNESSES}quorum X1 X2\n`],
  ['a quorum before its witness', `quorum X1\n${WITNESSES}`],
  ['an unknown word', 'quorum none\nwitnesses all\n'],
  ['a word that every object has', 'quorum none\nconstructor\n'],
  ['a last line without end', 'quorum none'],
  ['a carriage return', 'quorum none\r\n'],
  ['a witness without key', 'witness X1\nquorum none\n'],
  ['a witness named none', `witness none ${KEYS['X1']}\nquorum none\n`],
  ['a witness twice', `${WITNESSES}witness X1 ${witnessSigner('x').vkey}\nquorum none\n`],
  ['a key twice', `${WITNESSES}witness Z ${KEYS['X1']}\nquorum none\n`],
  ['a log twice', `log ${LOG}\nlog ${LOG}\nquorum none\n`],
  ['a witness with the key of a log', `witness X1 ${LOG}\nquorum none\n`],
  ['a log with the key of a witness', `log ${KEYS['X1']}\nquorum none\n`],
  ['a fourth word', `witness X1 ${KEYS['X1']} https://x.example/ more\nquorum none\n`],
  ['a group without members', `${WITNESSES}group G any\nquorum none\n`],
  ['a group of none', `${WITNESSES}group G any none\nquorum none\n`],
  ['a group of itself', `${WITNESSES}group G any G\nquorum none\n`],
  ['a member twice', `${WITNESSES}group G any X1 X1\nquorum none\n`],
  ['a member of two groups', `${WITNESSES}group G any X1\ngroup H any X1\nquorum none\n`],
  ['a group named as a witness', `${WITNESSES}group X1 any X2\nquorum none\n`],
  ['a threshold of zero', `${WITNESSES}group G 0 X1\nquorum none\n`],
  ['a threshold with a zero in front', `${WITNESSES}group G 01 X1\nquorum none\n`],
  ['a threshold above the members', `${WITNESSES}group G 3 X1 X2\nquorum none\n`],
])('%s is no policy', (_name, text) => {
  expect(outcomeOf(() => read(text))).toBe('POLICY_MALFORMED');
});

test('a file without end is not read', () => {
  expect(outcomeOf(() => parsePolicy(Buffer.alloc(1_048_577, '\n')))).toBe('POLICY_MALFORMED');
});
