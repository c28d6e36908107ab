/** What the tests of the configuration share. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect } from '@jest/globals';
import { type LoadOptions, loadConfiguration } from '../../src/config/load.ts';
import type { Configuration } from '../../src/config/types.gen.ts';

export const HOME = mkdtempSync(join(tmpdir(), 'portcullis-config-'));
afterAll(() => rmSync(HOME, { recursive: true }));

const NAMES = { server: 'payments', instance: 'one' };

export type Given = Partial<LoadOptions> & { yaml?: string };

/** The configuration of a folder of its own, which holds the file if there is one. */
export function load({ yaml, ...options }: Given = {}): Configuration {
  const cwd = mkdtempSync(join(HOME, 'folder-'));
  if (yaml !== undefined) writeFileSync(join(cwd, 'portcullis.yaml'), yaml);
  return loadConfiguration({ names: NAMES, cwd, variables: { HOME }, ...options });
}

/** What loading is refused with; the folder of the test is left out. */
export function refusal(given: Given): { message: string; pointer: string | undefined } {
  try {
    load(given);
  } catch (error) {
    const { code, message, pointer } = error as Error & { code: string; pointer?: string };
    expect(code).toBe('CONFIGURATION_INVALID');
    return { message: message.replace(/\/\S+\/folder-\w+\//g, ''), pointer };
  }
  throw new Error('it was not refused');
}
