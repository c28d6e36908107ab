#!/usr/bin/env node
/**
 * The one entry. Plain JavaScript that an old Node still parses, because what it imports is not: in
 * a clone the TypeScript sources, in the package what the compiler made of them.
 */
import { existsSync } from 'node:fs';

const NEEDED = 24;
const found = process.versions.node;

if (Number(found.split('.')[0]) < NEEDED) {
  process.stderr.write(
    'RUNTIME_UNSUITED: portcullis needs node ' +
      NEEDED +
      ' or newer, this is ' +
      found +
      '\n' +
      '  install it, or in a clone run `npm ci`, which brings one to `npm run`\n',
  );
  process.exitCode = 2;
} else {
  const source = new URL('../src/cli/main.ts', import.meta.url);
  const compiled = new URL('../dist/cli/main.js', import.meta.url);
  void import(existsSync(source) ? source.href : compiled.href)
    .then((cli) => cli.main(process.argv.slice(2)))
    .then((code) => {
      process.exitCode = code;
    });
}
