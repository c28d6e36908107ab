/** What leads to a decision: the findings on the grants, and the ruling that shows or hides. */
import { expect, test } from '@jest/globals';
import { examine, visibility, type Book } from '../../../src/decision/static_rbac/examine.ts';
import { readRbac } from '../../../src/decision/static_rbac/model.ts';
import { METHODS } from '../../../src/pep/methods.ts';
import { inputOf } from './fixture.ts';

const FILE = {
  _methods: { 'prompts/get': 'deny' },
  roles: {
    keepers: {
      grants: [
        { capability: 'prompt:explain', actions: ['get'], decision: 'allow' },
        { capability: 'tool:wipe', actions: ['execute'], decision: 'deny' },
      ],
    },
  },
};

function book(): Book {
  const result = readRbac(FILE, METHODS);
  if (!result.ok) throw new Error(result.fault.problem);
  return { rbac: result.value, methods: METHODS };
}

test('where the method settles it, the grants on the thing are not looked at', () => {
  expect(examine(book(), inputOf('prompt:explain', ['keepers']))).toStrictEqual({
    outcome: 'deny',
    constraints: {},
    grants: [],
    why: '_methods denies prompts/get',
    findings: [],
    visible: false,
  });
});

test('only what some grant names is ruled on to show or hide a thing', () => {
  const asker = { roles: new Set(['keepers']), deployment: undefined, actor_type: undefined };
  const seen = (id: string) => visibility(book(), asker, { type: 'tool', id, server: 'meters' });
  expect(seen('absent')).toStrictEqual({ visible: false, ruling: undefined });
  expect(seen('wipe')).toMatchObject({ visible: false, ruling: { grants: [{ id: 'keepers/2' }] } });
});
