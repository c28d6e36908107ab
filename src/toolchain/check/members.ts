import evaluationRequest from '../../contract/schemas/evaluation_request.schema.json' with { type: 'json' };
import policyData from '../../contract/schemas/policy_data.schema.json' with { type: 'json' };
import { isMaskPackage } from '../mask.ts';
import { isAuthored, placeOf, type Finding, type ParsedPolicy } from '../policy.ts';
import { ANY, headName, packagePath, type Path, type RuleBase } from '../references.ts';
import { LIBRARY_ROOTS } from '../tables.ts';

/** As much of a JSON Schema as names the members of an object. */
interface Schema {
  $ref?: string;
  properties?: Record<string, Schema>;
}

const CAPABILITY: Schema = policyData.$defs.capability as Schema;
const CONTEXT = evaluationRequest.$defs.context.properties;
const SUBJECT = evaluationRequest.$defs.subject.properties.properties.properties;

/** What the decision point adds to a request, which no caller may send. */
const CALLER: Schema = { properties: { id: {}, channel: {} } };
const INPUT: Schema = withCaller(evaluationRequest);

/** The members of `data.mcp.request` that are objects of a known shape. */
const VIEW: Readonly<Record<string, Schema>> = {
  approval: { properties: { requester: {}, granted_rules: {} } },
  assurance: SUBJECT.assurance as Schema,
  caller: CALLER,
  capability: CAPABILITY,
  purpose: CONTEXT.purpose as Schema,
  session: CONTEXT.session as Schema,
  user: { properties: { id: {} } },
};

/**
 * A misspelt name is undefined, so the condition on it never holds: a denial written so is not
 * there. Members of the request are known, and so are the roots of the data that a policy brings.
 */
export function members({ base, sources }: ParsedPolicy): Finding[] {
  const view = requestMembers(base);
  const roots = knownRoots(base, Object.keys(sources.data));
  return base.definitions
    .filter(({ module }) => isAuthored(module))
    .flatMap((definition) =>
      base.references(definition).flatMap(({ path, location }) => {
        const asked = isMaskPackage(definition.module) ? requestPath(path) : path;
        const finding = unknownMember(asked, view) ?? unknownRoot(path, roots);
        const place = placeOf(location ?? definition.rule.location);
        return finding ? [{ check: 'members', place, ...finding }] : [];
      }),
    );
}

/** The input of a mask is an event: it holds the request as `input`, of a list its `resources`. */
function requestPath(path: Path): Path {
  if (path[0] !== 'input') return path;
  return path[1] === 'input' && path[2] !== 'resources' ? path.slice(1) : [];
}

function withCaller({ properties, $defs }: typeof evaluationRequest): Schema {
  const { properties: known } = $defs.context;
  const context: Schema = { properties: { ...(known as Schema['properties']), caller: CALLER } };
  return { properties: { ...(properties as Schema['properties']), context } };
}

type Problem = Pick<Finding, 'problem' | 'instead'>;

function unknownMember(path: Path, view: Schema): Problem | undefined {
  const isRequest = path.slice(0, 3).join('.') === 'data.mcp.request';
  if (!isRequest && path[0] !== 'input') return undefined;
  const steps = path.slice(isRequest ? 3 : 1);
  const root = isRequest ? view : INPUT;
  const known = membersBefore(steps, root);
  if (!known) return undefined;
  return {
    problem: `the request has no \`${path.slice(isRequest ? 2 : 0).join('.')}\``,
    instead: `there are ${known.join(', ')}`,
  };
}

/** The members that there are instead of the first unknown step; undefined where all are known. */
function membersBefore(steps: Path, root: Schema): string[] | undefined {
  let at: Schema | undefined = root;
  for (const step of steps) {
    const properties: Record<string, Schema> | undefined = resolve(at)?.properties;
    if (!properties || step === ANY) return undefined;
    if (!Object.hasOwn(properties, step)) return Object.keys(properties).sort();
    at = properties[step];
  }
  return undefined;
}

function resolve(schema: Schema | undefined): Schema | undefined {
  const name = schema?.$ref?.split('/').at(-1);
  return name ? (evaluationRequest.$defs as Record<string, Schema>)[name] : schema;
}

function requestMembers(base: RuleBase): Schema {
  const names = base.definitions
    .filter(({ module }) => packagePath(module).join('.') === 'data.mcp.request')
    .map(({ rule }) => headName(rule));
  return { properties: Object.fromEntries(names.map((name) => [name, VIEW[name] ?? {}])) };
}

function knownRoots(base: RuleBase, data: readonly string[]): ReadonlySet<string> {
  const packages = base.modules.map((module) => packagePath(module)[1] ?? '');
  return new Set([...packages, ...data, ...LIBRARY_ROOTS]);
}

function unknownRoot(path: Path, roots: ReadonlySet<string>): Problem | undefined {
  const root = path[0] === 'data' ? path[1] : undefined;
  if (root === undefined || roots.has(root) || root === ANY) return undefined;
  return {
    problem: `no data file holds the root \`${root}\``,
    instead: 'mend the name, or put the root into data.yaml, empty if it comes at run time',
  };
}
