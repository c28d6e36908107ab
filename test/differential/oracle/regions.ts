/** Whether arguments lie inside a grant's safe region. */
import type { Json, JsonObject, Region } from '../model.ts';
import { passes } from './tests.ts';
import { memberOf, word, type View } from './view.ts';

export function isInside(region: Region | undefined, view: View): boolean {
  const args = view.facts.arguments;
  const entries = Object.entries(region ?? {});
  if (args === undefined || entries.length === 0) return false;
  return entries.every(([pointer, tests]) => {
    const values = valuesAt(args, stepsOf(pointer));
    return values.length > 0 && values.every((value) => passesAll(value, tests, view));
  });
}

function stepsOf(pointer: string): string[] {
  const steps = pointer.split('/').slice(1);
  return steps.map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** Every value that a pointer names, one that is missing among them as undefined. */
function valuesAt(value: Json | undefined, [step, ...rest]: string[]): (Json | undefined)[] {
  if (step === undefined) return [value];
  if (step !== '*') return valuesAt(memberOf(value, step), rest);
  const isCollection = typeof value === 'object' && value !== null;
  return isCollection ? Object.values(value).flatMap((member) => valuesAt(member, rest)) : [];
}

function passesAll(value: Json | undefined, tests: JsonObject, view: View): boolean {
  const entries = Object.entries(tests);
  return (
    entries.length > 0 && entries.every(([test, raw]) => passes(test, value, operandOf(raw, view)))
  );
}

/** An object names a table, of which the caller's own entry is meant. */
function operandOf(raw: Json, { data, input }: View): Json | undefined {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) return raw;
  const table = (data as unknown as JsonObject)[word(raw.data)];
  return memberOf(table, input.subject.id);
}
