import { expect, test } from '@jest/globals';
import { listNotes } from '../../src/toolchain/notes.ts';
import { parsePolicy } from '../../src/toolchain/policy.ts';
import { gatherSources } from '../../src/toolchain/sources.ts';
import { styleFindings } from '../../src/toolchain/style.ts';
import { describeWithOpa, opa, parsed } from '../support/toolchain.ts';
import { ALLOW, FILE, one } from './refusals/refusal.ts';

const TITLED = '# METADATA\n# title: Refunds\n';
const TEST_FILE = 'rules/shop/refund_test.rego';
const TEST = `package mcp.rules.shop.refund_test

import data.mcp.rules.shop.refund

test_effect if refund.effect == "allow"
`;

describeWithOpa('house style', () => {
  test('a formatted rule with a title and a test has nothing against it', async () => {
    const text = `${TITLED}package mcp.rules.shop.refund

import data.mcp.request

effect := "allow"

applies if request.name == "tool:shop/refund"
`;
    const policy = await parsed({ [FILE]: text, [TEST_FILE]: TEST });
    expect(await styleFindings(opa, policy)).toEqual([]);
  });

  test('what is missing is named, one by one', async () => {
    const policy = await parsed({ [FILE]: `${one(ALLOW)[FILE]}\n\n\n` });
    expect(
      (await styleFindings(opa, policy)).map(({ place, problem }) => [place, problem]),
    ).toEqual([
      [`policy/${FILE}`, 'the file is not formatted'],
      [`policy/${FILE}`, 'rule shop/refund has no title'],
      [`policy/${FILE}`, 'rule shop/refund has no test'],
    ]);
  });

  test('the library keeps it', async () => {
    expect(await styleFindings(opa, await parsed({}))).toEqual([]);
  });
});

describeWithOpa('notes on a policy of its own contract', () => {
  const text =
    'package authz\n\nallow if {\n\tinput.subject.id\n\tinput.context.arguments.size == 1\n}\n';
  const plain = () => parsePolicy(opa, gatherSources([{ path: 'authz.rego', text }], []));

  test('a line that a list would hide behind is named', async () => {
    expect(listNotes(await plain(), { entrypoint: 'authz/allow' })).toEqual([
      expect.objectContaining({ check: 'lists', place: 'policy/authz.rego:5' }),
    ]);
  });

  test('with an entrypoint for lists there is nothing to note', async () => {
    const options = { entrypoint: 'authz/allow', discovery: 'authz/list' };
    expect(listNotes(await plain(), options)).toEqual([]);
  });
});
