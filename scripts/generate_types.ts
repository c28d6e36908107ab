/**
 * Writes src/contract/types.gen.ts from the JSON Schemas, which are the one source of the messages.
 * With --check it writes nothing and exits 1 where the file is stale.
 */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { compile, type JSONSchema } from 'json-schema-to-typescript';

const FOLDER = new URL('../src/contract/schemas/', import.meta.url);
const TARGET = new URL('../src/contract/types.gen.ts', import.meta.url);

/** Array limits are for the validator; in a type they are noise. */
const LIMITS = new RegExp(
  [
    String.raw`^ *\/\*\*\n( *\* @(?:min|max)Items \d+\n)+ *\*\/\n`,
    String.raw`^ *\*\n(?= *\* @(?:min|max)Items)`,
    String.raw`^ *\* @(?:min|max)Items \d+\n`,
  ].join('|'),
  'gm',
);
const BANNER = 'Generated from src/contract/schemas by scripts/generate_types.ts; do not edit.';

/** One module: definitions that several schemas share appear once; a test keeps them equal. */
async function generate(): Promise<string> {
  const files = readdirSync(FOLDER)
    .filter((name) => name.endsWith('.schema.json'))
    .sort();
  const seen = new Set<string>();
  const parts: string[] = [];
  for (const file of files) {
    const schema = JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8')) as JSONSchema & {
      title: string;
    };
    const text = await compile(schema, schema.title, {
      bannerComment: '',
      ignoreMinAndMaxItems: true,
      unknownAny: true,
      format: true,
      style: { singleQuote: true, printWidth: 100, trailingComma: 'all' },
    });
    parts.push(
      ...declarations(text.replace(LIMITS, ''))
        .filter(({ name }) => !seen.has(name) && seen.add(name))
        .map(({ code }) => code),
    );
  }
  return `/* ${BANNER} */\n\n${parts.join('\n\n')}\n`;
}

/** Splits generated source into its exported declarations, each with its comment. */
function declarations(source: string): { name: string; code: string }[] {
  const pieces = source
    .split(/\n(?=\/\*\*|export (?:type|interface) )/)
    .map((piece) => piece.trim());
  const merged: string[] = [];
  for (const piece of pieces.filter((text) => text !== '')) {
    const last = merged.at(-1);
    if (last?.startsWith('/**') && !last.includes('export '))
      merged[merged.length - 1] = `${last}\n${piece}`;
    else merged.push(piece);
  }
  return merged.map((code) => ({
    name: /export (?:type|interface) (\w+)/.exec(code)?.[1] ?? '',
    code,
  }));
}

const fresh = await generate();
if (process.argv.includes('--check')) {
  if (readFileSync(TARGET, 'utf8') !== fresh) {
    process.stderr.write('src/contract/types.gen.ts is stale: run `npm run generate`\n');
    process.exitCode = 1;
  }
} else {
  writeFileSync(TARGET, fresh);
}
