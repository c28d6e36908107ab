import { expect, test } from '@jest/globals';
import { offeredKinds } from '../../src/pep/capabilities.ts';
import { ALL_KINDS, KINDS, type Kind } from '../../src/pep/kinds.ts';

// MCP 2025-11-25 and 2026-07-28, schemas: `ServerCapabilities` and the notifications of lists.
test.each<[string, Kind[]]>([
  ['tools', ['tool']],
  ['prompts', ['prompt']],
  ['resources', ['resource', 'resource_template']],
])('the capability `%s` is that of %j, and a change of them is told by its name', (word, kinds) => {
  expect(offeredKinds({ capabilities: { [word]: {} } })).toEqual(kinds);
  const changed = `notifications/${word}/list_changed`;
  expect(ALL_KINDS.filter((kind) => KINDS[kind].changed === changed)).toEqual(kinds);
});
