import type { Opa } from '../opa_run.ts';
import { fileOf, isAuthored, parseOpaErrors, type Finding, type ParsedPolicy } from '../policy.ts';
import type { RulePackage } from '../rule_package.ts';
import type { SourceFile } from '../sources.ts';
import { staged } from '../stage.ts';

const SCHEMAS = 'schemas';

/**
 * Where the registry holds a tool's `input_schema`, OPA's type checker reads the rules of that tool
 * under it, so that a misspelt argument is an error of the build and not a rule that never holds.
 */
export async function argumentSchemas(opa: Opa, policy: ParsedPolicy): Promise<Finding[]> {
  const bound = policy.rules.flatMap((rule) => binding(rule, policy));
  if (bound.length === 0) return [];
  const files = policy.sources.modules.map((file) => annotate(file, bound));
  const schemas = bound.map(({ name, schema }) => ({
    path: `${SCHEMAS}/${name}.json`,
    text: JSON.stringify(schema),
  }));
  return staged([...files, ...schemas], async (cwd) => {
    const args = ['check', '--format', 'json', '--schema', SCHEMAS, 'mcp', 'policy'];
    const { code, stderr } = await opa(args, { cwd });
    return code === 0 ? [] : typeErrors(stderr);
  });
}

interface Binding {
  file: string;
  name: string;
  schema: object;
}

/** Only a rule of exactly one tool has one schema. */
function binding(rule: RulePackage, { sources }: ParsedPolicy): Binding[] {
  const [capability, ...more] = rule.capabilities;
  const registry = sources.data.registry as Record<string, { input_schema?: object }> | undefined;
  const schema = capability && more.length === 0 ? registry?.[capability]?.input_schema : undefined;
  if (!schema) return [];
  const name = rule.id.replace('/', '_');
  return rule.modules.filter(isAuthored).map((module) => ({ file: fileOf(module), name, schema }));
}

/** Binds by METADATA on the package, in a copy whose line numbers move by its length. */
function annotate(file: SourceFile, bound: readonly Binding[]): SourceFile {
  const found = bound.find((entry) => entry.file === file.path);
  if (!found) return file;
  const lines = file.text.split('\n');
  const at = lines.findIndex((line) => /^package\s/u.test(line));
  const text = [
    ...lines.slice(0, at),
    ...metadataLines(found, lines[at - 1] ?? ''),
    ...lines.slice(at),
  ];
  return { path: file.path, text: text.join('\n') };
}

/** A METADATA block that ends right above the package is continued; else one is begun. */
function metadataLines({ name }: Binding, above: string): string[] {
  const lines = [
    '# schemas:',
    `#   - data.mcp.request.arguments: schema.${name}`,
    `#   - input.context.arguments: schema.${name}`,
  ];
  return above.startsWith('#') ? lines : ['# METADATA', ...lines];
}

function typeErrors(stderr: string): Finding[] {
  return parseOpaErrors(stderr).map(({ message, location }) => ({
    check: 'argument_schemas',
    place: location?.file ?? '',
    problem: `${message} in the tool's input_schema`,
    instead: 'spell the argument as the tool does, or mend the registry entry',
  }));
}
