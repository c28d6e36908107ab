/** The rule that says what is masked in the evidence, where OPA itself looks for it. */
import type { Module } from './ast.ts';
import type { ParsedPolicy } from './policy.ts';
import { headName, packagePath } from './references.ts';

export const MASK_ENTRYPOINT = 'system/log/mask';

const PACKAGE = 'data.system.log';

/** Whether a package stands where masks do (OPA documentation, "Masking Sensitive Data"). */
export function isMaskPackage(module: Module): boolean {
  return packagePath(module).join('.') === PACKAGE;
}

export function hasMask({ base }: ParsedPolicy): boolean {
  return base.modules.some(
    (module) =>
      isMaskPackage(module) && (module.rules ?? []).some((rule) => headName(rule) === 'mask'),
  );
}
