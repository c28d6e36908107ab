/** The methods that the library decides are those that a guard asks about. */
import { expect, test } from '@jest/globals';
import { SEP_ACTIONS } from '../../src/contract/sep_actions.ts';
import { METHODS, type MethodRule } from '../../src/pep/methods.ts';
import { describeWithOpa, LIBRARY, opa } from '../support/toolchain.ts';

/** Those that name a thing of another type than their own, or of several. */
const BESIDE: readonly (readonly [string, string])[] = [
  ...['completion', 'prompt', 'resource_template'].map(
    (type) => [type, 'completion/complete'] as const,
  ),
  ['resource', 'subscriptions/listen'],
  ...['elicitation/create', 'roots/list', 'sampling/createMessage'].map(
    (method) => ['mcp_server', method] as const,
  ),
];

/** Methods by type of capability, each list in its order. */
function byType(pairs: readonly (readonly [string, string])[]): Record<string, string[]> {
  const types: Record<string, Set<string>> = {};
  for (const [type, method] of pairs) (types[type] ??= new Set()).add(method);
  return Object.fromEntries(Object.entries(types).map(([type, set]) => [type, [...set].sort()]));
}

/** A task is asked about as the tool that made it, and a completion as what it completes. */
function typesOf(
  method: string,
  { handling, direction, resource_type }: Omit<MethodRule, 'kind'>,
): string[] {
  if (handling === 'owner_bound') return ['tool', 'task'];
  if (method === 'completion/complete') return ['completion', 'prompt', 'resource_template'];
  if (direction === 'server_to_client') return ['mcp_server'];
  return resource_type ? [resource_type] : [];
}

describeWithOpa('the methods of the library', () => {
  test('are those of the table of methods and of the SEP', async () => {
    const query = 'data.mcp.rules.boundary.method._methods';
    const { stdout } = await opa(['eval', '--format', 'raw', '--data', LIBRARY, query], {
      cwd: LIBRARY,
    });
    const known = JSON.parse(stdout) as Record<string, string[]>;
    const asked = Object.entries<MethodRule>(METHODS).flatMap(([method, { kind, ...rule }]) =>
      kind === 'request' ? typesOf(method, rule).map((type) => [type, method] as const) : [],
    );
    expect(
      byType(Object.entries(known).flatMap(([t, ms]) => ms.map((m) => [t, m] as const))),
    ).toEqual(byType([...asked, ...BESIDE]));
    for (const [type, actions] of Object.entries(SEP_ACTIONS)) {
      expect(known[type]).toEqual(expect.arrayContaining(Object.values(actions)));
    }
  });
});
