/**
 * Where the arguments of a refused call break the tool's own schema, so that an agent can mend its
 * call. Only said of a tool that the caller may see; the decision never depends on it.
 */
import { compileSchema, type SchemaFault, type Validator } from '../contract/validate.ts';
import type { CatalogueItem } from './catalogue.ts';
import { isObject, type JsonObject } from './message.ts';

/** A larger schema is not compiled: the hint is a courtesy and may not cost much. */
const SCHEMA_LENGTH_MAX = 65_536;

/** By tool; undefined: its schema is not one that can be read. */
const compiled = new WeakMap<CatalogueItem, Validator<unknown> | undefined>();

/** Undefined: they fit, or the schema is missing, too large, or not one that can be read. */
export function argumentsFault(item: CatalogueItem, args: JsonObject): SchemaFault | undefined {
  const schema = item.definition['inputSchema'];
  if (!isObject(schema) || item.text.length > SCHEMA_LENGTH_MAX) return undefined;
  if (!compiled.has(item)) compiled.set(item, compileSchema(schema, { foreign: true }));
  const validated = validate(item, args);
  if (validated === undefined || validated.ok) return undefined;
  const { pointer, keyword } = validated.fault;
  return { pointer, keyword };
}

function validate(
  item: CatalogueItem,
  args: JsonObject,
): ReturnType<Validator<unknown>> | undefined {
  try {
    return compiled.get(item)?.(args);
  } catch {
    compiled.set(item, undefined);
    return undefined;
  }
}
