import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { findOpa, OPA_VERSION, type ToolchainSettings } from '../../src/toolchain/opa.ts';
import { DEFAULTS } from '../support/defaults.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'portcullis-opa-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** A program that answers as told, whatever it is asked. */
function program(place: string, script: string): string {
  const path = join(folder, place);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
}

function opaOf(place: string, version: string): string {
  return program(place, `echo "Version: ${version}"`);
}

function settings(changes: Partial<ToolchainSettings> = {}): ToolchainSettings {
  const environment = { PATH: `${join(folder, 'path')}:/usr/bin:/bin` };
  const cache = join(folder, 'cache');
  return { ...DEFAULTS.toolchain, environment, cache, progress: () => undefined, ...changes };
}

describe('finding OPA', () => {
  test('the setting wins', async () => {
    const named = opaOf('named/opa', OPA_VERSION);
    opaOf('path/opa', OPA_VERSION);
    expect(await findOpa(settings({ opa: named }))).toBe(named);
  });

  test('a setting that names another version is an error, never passed over', async () => {
    const named = opaOf('named/opa', '1.0.0');
    opaOf('path/opa', OPA_VERSION);
    await expect(findOpa(settings({ opa: named }))).rejects.toMatchObject({
      code: 'TOOLCHAIN_ABSENT',
      message: `PORTCULLIS_OPA is OPA 1.0.0, needed is ${OPA_VERSION}`,
    });
  });

  test.each([
    ['nothing', () => join(folder, 'absent')],
    ['no program', () => program('broken/opa', 'exit 1')],
    ['another program', () => program('other/opa', 'echo hello')],
  ])('a setting that names %s is an error', async (_title, opa) => {
    await expect(findOpa(settings({ opa: opa() }))).rejects.toMatchObject({
      code: 'TOOLCHAIN_ABSENT',
    });
  });

  test('then PATH, if the version is right', async () => {
    const found = opaOf('path/opa', OPA_VERSION);
    opaOf(`cache/opa-${OPA_VERSION}`, OPA_VERSION);
    expect(await findOpa(settings())).toBe(found);
  });

  test('then the cache', async () => {
    opaOf('path/opa', '0.70.0');
    const cached = opaOf(`cache/opa-${OPA_VERSION}`, OPA_VERSION);
    expect(await findOpa(settings())).toBe(cached);
  });

  test('then Go builds the pinned version, once', async () => {
    const lines: string[] = [];
    program(
      'path/go',
      `printf '#!/bin/sh\\necho "Version: ${OPA_VERSION}"\\n' > $GOBIN/opa; chmod +x $GOBIN/opa`,
    );
    const first = await findOpa(settings({ progress: (line) => lines.push(line) }));
    const second = await findOpa(settings());
    expect([first, second]).toEqual(Array(2).fill(join(folder, 'cache', `opa-${OPA_VERSION}`)));
    expect(lines).toHaveLength(1);
    expect(readdirSync(join(folder, 'cache'))).toEqual([`opa-${OPA_VERSION}`]);
  });

  test('a build that fails leaves nothing and says what to do', async () => {
    program('path/go', 'echo "no network" >&2; exit 1');
    await expect(findOpa(settings())).rejects.toMatchObject({
      code: 'TOOLCHAIN_ABSENT',
      message: expect.stringMatching(
        /PORTCULLIS_OPA.*PATH.*building it with Go failed.*install Go/u,
      ),
    });
    expect(readdirSync(join(folder, 'cache'))).toEqual([]);
  });

  test('a build of another version is not kept', async () => {
    program(
      'path/go',
      'printf \'#!/bin/sh\\necho "Version: 9.9.9"\\n\' > $GOBIN/opa; chmod +x $GOBIN/opa',
    );
    await expect(findOpa(settings())).rejects.toMatchObject({ code: 'TOOLCHAIN_ABSENT' });
    expect(readdirSync(join(folder, 'cache'))).toEqual([]);
  });

  test('without OPA and Go the error names every way', async () => {
    await expect(findOpa(settings())).rejects.toMatchObject({
      code: 'TOOLCHAIN_ABSENT',
      message: expect.stringMatching(/PORTCULLIS_OPA.*PATH.*cache.*no Go/u),
    });
  });
});
