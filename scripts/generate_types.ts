/**
 * Writes the types of the messages and of the configuration from their JSON Schemas, which are the
 * one source. With --check it writes nothing and exits 1 where a file is stale.
 */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { compile, type JSONSchema } from 'json-schema-to-typescript';

type Schema = JSONSchema & { title: string };

/** A generated file, where its schemas stand, and how they read for the one who uses the type. */
interface Module {
  path: string;
  source: string;
  schemas: () => Schema[];
}

const TOP = join(import.meta.dirname, '..');

const MODULES: readonly Module[] = [
  {
    path: 'src/contract/types.gen.ts',
    source: 'src/contract/schemas',
    schemas: () => readSchemas('src/contract/schemas'),
  },
  {
    path: 'src/config/types.gen.ts',
    source: 'src/config/schema.json',
    // A file may leave out what has a default; the configuration that was loaded has it all.
    schemas: () => [requireAll(readSchema('src/config/schema.json'))],
  },
];

/** Array limits are for the validator; in a type they are noise. */
const LIMITS = new RegExp(
  [
    String.raw`^ *\/\*\*\n( *\* @(?:min|max)Items \d+\n)+ *\*\/\n`,
    String.raw`^ *\*\n(?= *\* @(?:min|max)Items)`,
    String.raw`^ *\* @(?:min|max)Items \d+\n`,
  ].join('|'),
  'gm',
);

/** One module: definitions that several schemas share appear once; a test keeps them equal. */
async function generate({ source, schemas }: Module): Promise<string> {
  const seen = new Set<string>();
  const parts: string[] = [];
  for (const schema of schemas()) {
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
  const banner = `Generated from ${source} by scripts/generate_types.ts; do not edit.`;
  return `/* ${banner} */\n\n${parts.join('\n\n')}\n`;
}

function readSchemas(folder: string): Schema[] {
  return readdirSync(join(TOP, folder))
    .filter((name) => name.endsWith('.schema.json'))
    .sort()
    .map((name) => readSchema(join(folder, name)));
}

function readSchema(path: string): Schema {
  return JSON.parse(readFileSync(join(TOP, path), 'utf8')) as Schema;
}

/** The same schema, with each property required. */
function requireAll<S extends JSONSchema>(schema: S): S {
  const { $defs, properties } = schema as JSONSchema & { $defs?: Record<string, JSONSchema> };
  return {
    ...schema,
    ...($defs && { $defs: mapValues($defs, requireAll) }),
    ...(properties && {
      properties: mapValues(properties, requireAll),
      required: Object.keys(properties),
    }),
  };
}

function mapValues<V>(values: Record<string, V>, map: (value: V) => V): Record<string, V> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, map(value)]));
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

const check = process.argv.includes('--check');
for (const module of MODULES) {
  const file = join(TOP, module.path);
  const fresh = await generate(module);
  if (!check) writeFileSync(file, fresh);
  else if (readFileSync(file, 'utf8') !== fresh) {
    process.stderr.write(`${module.path} is stale: run \`npm run generate\`\n`);
    process.exitCode = 1;
  }
}
