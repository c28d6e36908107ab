/** A static RBAC file as the decision core asks it. */
import { digestOf } from '../../contract/digest.ts';
import type { Policy, PolicyResult, Projection, Resource } from '../../contract/types.gen.ts';
import type { ListedText } from '../listing.ts';
import { members } from '../request.ts';
import type { ActivePolicy, PolicyInput } from '../types.ts';
import { examine, visibility, type Book } from './examine.ts';
import { explainGrants } from './explain.ts';
import { askerOf, targetOf } from './findings.ts';
import { rowOf } from './methods.ts';

export interface StaticRbacParts extends Book {
  identity: Required<Policy>;
  /** RFC 3339, UTC. */
  activated_at: string;
}

/** As policy_result.schema.json has them. */
const RULES_MAX = 1024;

/** No grant speaks of arguments. */
const NO_ARGUMENTS: Projection = { digest: digestOf({}), pointers: {} };

/** It holds nothing that has to be released: closing it changes nothing. */
export class StaticRbacPolicy implements ActivePolicy {
  readonly identity: Required<Policy>;
  readonly projection = NO_ARGUMENTS;
  readonly activated_at: string;
  readonly unsafe_allow_all = false;
  readonly #book: Book;

  constructor({ rbac, methods, identity, activated_at }: StaticRbacParts) {
    this.#book = { rbac, methods };
    this.identity = identity;
    this.activated_at = activated_at;
  }

  evaluate(input: PolicyInput): PolicyResult {
    const examined = examine(this.#book, input);
    if ('fault' in examined) return { decision: 'deny', errors: [examined.fault] };
    const { outcome, visible, reason_code, constraints, grants } = examined;
    return {
      decision: outcome,
      visible,
      ...(reason_code !== undefined && { reason_code }),
      constraints,
      rules: grants.slice(0, RULES_MAX).map(({ id }) => id),
    };
  }

  /** A list that cannot be decided on is empty, and so is one that the file denies. */
  list(input: PolicyInput, resources: readonly Resource[]): ListedText[] {
    const { rbac, methods } = this.#book;
    const asker = askerOf(rbac, input);
    const { name } = members(input.action);
    const isDenied = !rowOf(methods, name) || rbac.denied.has(String(name));
    return resources.map((resource) => {
      const target = targetOf(resource);
      if ('fault' in asker || !target) return [false, 'POLICY_INDETERMINATE', []];
      if (isDenied) return [false, 'POLICY_DENIED', []];
      const { visible, ruling } = visibility(this.#book, asker, target);
      const rules = (ruling?.grants ?? []).slice(0, RULES_MAX).map(({ id }) => id);
      if (visible) return [true, 'ALLOWED', rules];
      const refusal = ruling ? 'POLICY_DENIED' : 'CAPABILITY_NOT_ALLOWED';
      return [false, ruling?.reason_code ?? refusal, rules];
    });
  }

  explain(input: PolicyInput): string {
    return explainGrants(examine(this.#book, input));
  }

  close(): void {}
}
