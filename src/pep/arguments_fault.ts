/**
 * Where the arguments of a refused call break the tool's own schema, so that an agent can mend its
 * call. Only said of a tool that the caller may see; the decision never depends on it.
 */
import { compileSchema, type SchemaFault, type Validator } from '../contract/validate.ts';
import type { CatalogueItem } from './catalogue.ts';
import { isObject, type JsonObject } from './message.ts';

/** A larger schema is not compiled: the hint is a courtesy and may not cost much. */
const SCHEMA_LENGTH_MAX = 65_536;

const compiled = new WeakMap<CatalogueItem, Validator<unknown>>();

/** Undefined: they fit, or the schema is missing, too large, or not one that can be read. */
export function argumentsFault(item: CatalogueItem, args: JsonObject): SchemaFault | undefined {
  const schema = item.definition['inputSchema'];
  if (!isObject(schema) || item.text.length > SCHEMA_LENGTH_MAX) return undefined;
  const validator = compiled.get(item) ?? compileSchema(schema, { foreign: true });
  compiled.set(item, validator);
  try {
    const validated = validator(args);
    if (validated.ok) return undefined;
    const { pointer, keyword } = validated.fault;
    return { pointer, keyword };
  } catch {
    compiled.set(item, (value) => ({ ok: true, value }));
    return undefined;
  }
}
