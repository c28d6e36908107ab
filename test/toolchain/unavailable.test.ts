/** What a compiled policy has of OPA's builtins, asked of OPA and of the engine. */
import { expect, test } from '@jest/globals';
import { loadEngine } from '../../src/engine/engine.ts';
import { compileWasm } from '../../src/toolchain/build.ts';
import {
  UNAVAILABLE_BUILTINS,
  UNAVAILABLE_FAMILIES,
} from '../../src/toolchain/check/unavailable.ts';
import { describeWithOpa, LIMITS, opa, SILENT } from '../support/toolchain.ts';

interface Builtin {
  name: string;
  decl: { args?: unknown[] };
  infix?: string;
  deprecated?: boolean;
}

async function builtins(): Promise<Builtin[]> {
  const { stdout } = await opa(['capabilities', '--current'], { cwd: '.' });
  return (JSON.parse(stdout) as { builtins: Builtin[] }).builtins;
}

/** Whether the engine takes a policy that calls it. */
async function isThere({ name, decl }: Builtin): Promise<boolean> {
  const operands = (decl.args ?? []).map((_, i) => `input.a${i}`).join(', ');
  const text = `package p\n\np if ${name}(${operands})\n`;
  const wasm = await compileWasm(opa, [{ path: 'p.rego', text }], ['p/p']);
  try {
    (await loadEngine({ wasm, data: {}, limits: LIMITS, log: SILENT })).close();
    return true;
  } catch {
    return false;
  }
}

function isListed(name: string): boolean {
  return (
    UNAVAILABLE_BUILTINS.includes(name) ||
    UNAVAILABLE_FAMILIES.some((family) => name.startsWith(family))
  );
}

describeWithOpa('builtins of a compiled policy', () => {
  test('what is listed as missing is missing, and nothing else', async () => {
    const all = (await builtins()).filter(
      ({ name, infix, deprecated }) => !infix && !deprecated && !name.startsWith('internal.'),
    );
    expect(all.length).toBeGreaterThan(150);
    const wrong: string[] = [];
    await Promise.all(
      Array.from({ length: 4 }, async () => {
        for (let next = all.pop(); next; next = all.pop()) {
          if ((await isThere(next)) === isListed(next.name)) wrong.push(next.name);
        }
      }),
    );
    expect(wrong).toEqual([]);
  }, 120_000);
});
