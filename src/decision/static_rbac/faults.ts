/** What a file may not say although its schema takes it: what is in doubt, or never holds. */
import { jsonPointer } from '../../contract/json.ts';
import type { RbacConstraints, RbacGrant, StaticRbac } from '../../contract/types.gen.ts';
import { methodFault, verbsOf, type MethodTable } from './methods.ts';

export interface RbacFault {
  /** JSON Pointer into the file. */
  pointer: string;
  problem: string;
}

export function* faultsOf(file: StaticRbac, methods: MethodTable): Generator<RbacFault> {
  const { _methods = {}, roles, bindings = {} } = file;
  for (const [name, word] of Object.entries(_methods)) {
    const problem = name === '_other' ? otherFault(word) : methodFault(methods, name, word);
    if (problem !== undefined) yield { pointer: jsonPointer(['_methods', name]), problem };
  }
  for (const role of Object.keys(bindings)) {
    if (Object.hasOwn(roles, role)) continue;
    yield { pointer: jsonPointer(['bindings', role]), problem: 'there is no such role' };
  }
  for (const [role, { grants }] of Object.entries(roles)) {
    for (const [at, grant] of grants.entries()) {
      for (const [steps, problem] of grantFaults(grant, methods)) {
        yield { pointer: jsonPointer(['roles', role, 'grants', String(at), ...steps]), problem };
      }
    }
  }
}

/** Whatever is not known is denied, and no word can change that. */
function otherFault(word: string): string | undefined {
  return word === 'deny' ? undefined : 'it must be `deny`';
}

type Fault = [steps: string[], problem: string];

function* grantFaults(grant: RbacGrant, methods: MethodTable): Generator<Fault> {
  const { capability, actions, decision, constraints = {} } = grant;
  const type = capability.slice(0, capability.indexOf(':'));
  const verbs = verbsOf(methods, type);
  const stray = actions.findIndex((action) => !verbs.has(action));
  if (stray >= 0) {
    const known = [...verbs].map((verb) => `\`${verb}\``).join(', ');
    yield [['actions', String(stray)], `on a ${type} there is only ${known}`];
  }
  if (decision === 'deny') yield* denialFaults(constraints);
  else yield* approvalFaults(decision, constraints);
}

/** A denial that seems to ask for something would be read as one that may be lifted. */
function* denialFaults({ environment: _, ...constraints }: RbacConstraints): Generator<Fault> {
  for (const name of Object.keys(constraints)) {
    yield [['constraints', name], 'nothing can be asked of what is denied'];
  }
}

/** Two spellings of one thing (ruling R1), and an approval that is asked for and not (R9). */
function* approvalFaults(
  decision: 'allow' | 'require_approval',
  { approval_required, require_approval_via, approval_via }: RbacConstraints,
): Generator<Fault> {
  const via = require_approval_via ?? approval_via;
  if (approval_via !== undefined && approval_via !== via) {
    yield [['constraints', 'approval_via'], 'it differs from `require_approval_via`'];
  }
  if (approval_required === false && (decision === 'require_approval' || via !== undefined)) {
    yield [['constraints', 'approval_required'], 'an approval is asked for beside it'];
  }
}
