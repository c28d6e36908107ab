/** A difference as text: the policy, the request, and what each voice says. */
import type { Difference } from './differences.ts';
import type { Policy } from './model.ts';
import { filesOf } from './render.ts';

export function reportOf(policy: Policy, { why, request, voices, oracle }: Difference): string {
  const files = Object.entries(filesOf(policy)).map(([path, text]) => `--- ${path}\n${text}`);
  const said = Object.entries({ request, ...voices, oracle });
  const lines = said.map(([name, value]) => `${name}: ${JSON.stringify(value)}`);
  return [why, ...files, ...lines].join('\n');
}
