/**
 * Each rule of the library matters: replaced by `true` or taken away, a test of the library fails.
 */
import { expect, test } from '@jest/globals';
import { readSources, type SourceFile } from '../../src/toolchain/sources.ts';
import { staged } from '../../src/toolchain/stage.ts';
import { describeWithOpa, LIBRARY, opa } from '../support/toolchain.ts';
import { mutants, type Mutant } from './mutants.ts';
import { DEFAULTS } from '../support/defaults.ts';

const AT_ONCE = 4;

describeWithOpa('policy library', () => {
  test('every rule that is removed or made true breaks a named test', async () => {
    const files = readSources(LIBRARY, DEFAULTS.policy);
    const all = await mutants(opa, files);
    expect(all.length).toBeGreaterThan(200);
    const survivors: string[] = [];
    await Promise.all(
      Array.from({ length: AT_ONCE }, async (_, lane) => {
        for (let i = lane; i < all.length; i += AT_ONCE) {
          const mutant = all[i];
          if (mutant && (await survives(mutant, files))) survivors.push(mutant.name);
        }
      }),
    );
    expect(survivors.sort()).toEqual([]);
  }, 600_000);
});

async function survives(mutant: Mutant, files: readonly SourceFile[]): Promise<boolean> {
  const changed = files.map((file) =>
    file.path === mutant.path ? { ...file, text: mutant.text } : file,
  );
  return staged(changed, async (cwd) => {
    const { code } = await opa(['test', '.'], { cwd });
    return code === 0;
  });
}
