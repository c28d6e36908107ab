/** What a client may be asked for, by what it said that it can do. */
import { expect, test } from '@jest/globals';
import { isOffered, offersOf } from '../../src/pep/client_offers.ts';

const ALL = { sampling: { tools: {} }, roots: {}, elicitation: { form: {}, url: {} } };
const CREATE = 'sampling/createMessage';
const ELICIT = 'elicitation/create';

test.each<[boolean, string, object, object]>([
  [true, CREATE, {}, { sampling: {} }],
  [true, CREATE, { tools: [] }, ALL],
  [true, CREATE, { toolChoice: {} }, ALL],
  [false, CREATE, { tools: [] }, { sampling: { context: {} } }],
  [false, CREATE, { toolChoice: {} }, { sampling: {} }],
  [false, CREATE, {}, { elicitation: {}, roots: {} }],
  [true, 'roots/list', {}, { roots: {} }],
  [false, 'roots/list', {}, { sampling: {}, elicitation: {} }],
  [true, ELICIT, {}, { elicitation: {} }],
  [true, ELICIT, { mode: 'form' }, { elicitation: { form: {}, url: {} } }],
  [false, ELICIT, {}, { elicitation: { url: {} } }],
  [true, ELICIT, { mode: 'url' }, { elicitation: { url: {} } }],
  [false, ELICIT, { mode: 'url' }, { elicitation: {} }],
  [false, ELICIT, {}, { sampling: {}, roots: {} }],
  [false, 'tools/call', {}, ALL],
  [false, '', {}, ALL],
])('%j: %s with %j of a client that offers %j', (offered, method, params, capabilities) => {
  expect(isOffered(offersOf(capabilities), { method, params: { ...params } })).toBe(offered);
});
