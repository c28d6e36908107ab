/** The version of this package. */
import { readFileSync } from 'node:fs';

/** Beside `src` in a clone, beside `dist` in the package. */
const { version } = JSON.parse(
  readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
) as { version: string };

export const VERSION = version;
