/** The settings where nobody gave any, from their schema. */
import { loadConfiguration } from '../../src/config/load.ts';
import type { Configuration } from '../../src/config/types.gen.ts';

export const DEFAULTS: Configuration = loadConfiguration({
  names: { server: 'portcullis', instance: 'main' },
  cwd: '/nowhere',
  variables: { HOME: '/nobody' },
});
