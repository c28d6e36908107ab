/** Settings in a YAML file, read strictly: what is in doubt is refused with its line and column. */
import { closeSync, openSync, readSync } from 'node:fs';
import { dirname } from 'node:path';
import {
  type Document,
  LineCounter,
  type Node,
  type YAMLError,
  isAlias,
  isMap,
  isScalar,
  parseDocument,
} from 'yaml';
import { type Source, invalid } from './source.ts';

const SIZE_BYTES_MAX = 1_048_576;

/** A short text can unfold into gigabytes. */
const ALIASES_MAX = 100;

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Reads a file. Throws `CONFIGURATION_INVALID`, quoting nothing of it. */
export function readFileSource(path: string): Source {
  const text = readText(path);
  const lines = new LineCounter();
  const placeOf = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${path}:${line}:${col}`;
  };
  try {
    // Tags make values that JSON does not have; none is known.
    const options = { version: '1.2', schema: 'core', resolveKnownTags: false } as const;
    const document = parseDocument(text, { ...options, lineCounter: lines });
    const [fault] = [...document.errors, ...document.warnings];
    if (fault) throw malformed(fault, placeOf(fault.pos[0]));
    return {
      settings: (document.toJS({ maxAliasCount: ALIASES_MAX }) as unknown) ?? {},
      place: (steps) => placeOf(offsetOf(document, steps)),
      folder: dirname(path),
    };
  } catch (error) {
    if (error instanceof ReferenceError) {
      throw invalid(`\`${path}\` has an alias that leads nowhere, or too many`, [], error);
    }
    throw error;
  }
}

function readText(path: string): string {
  const bytes = readBytes(path);
  if (bytes.length > SIZE_BYTES_MAX) {
    throw invalid(`\`${path}\` is larger than ${SIZE_BYTES_MAX} bytes`);
  }
  try {
    return utf8.decode(bytes);
  } catch (cause) {
    throw invalid(`\`${path}\` is not UTF-8`, [], cause);
  }
}

/** The bytes of a file, or the first of them where there are more than a configuration has. */
function readBytes(path: string): Uint8Array {
  try {
    const file = openSync(path, 'r');
    try {
      const bytes = Buffer.alloc(SIZE_BYTES_MAX + 1);
      let size = 0;
      for (;;) {
        const taken = readSync(file, bytes, size, bytes.length - size, null);
        size += taken;
        if (taken === 0) return bytes.subarray(0, size);
      }
    } finally {
      closeSync(file);
    }
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? 'unknown';
    throw invalid(`the configuration file \`${path}\` cannot be read (${code})`, [], cause);
  }
}

function malformed({ code }: YAMLError, place: string): Error {
  const reason = code.toLowerCase().replaceAll('_', ' ');
  return invalid(`the configuration is not strict YAML: ${reason} (${place})`);
}

/** Where the name of a setting stands, or as near to it as the file goes. */
function offsetOf(document: Document, path: readonly string[]): number {
  let node = document.contents as Node | null | undefined;
  let offset = node?.range?.[0] ?? 0;
  for (const step of path) {
    if (isAlias(node)) node = node.resolve(document);
    const pair = isMap(node) && node.items.find(({ key }) => isScalar(key) && key.value === step);
    if (!pair) break;
    offset = (pair.key as Node).range?.[0] ?? offset;
    node = pair.value as Node | null;
  }
  return offset;
}
