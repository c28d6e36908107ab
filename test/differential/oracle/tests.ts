/** The tests of a safe region: each needs operands of the right types. */
import type { Json } from '../model.ts';

type Test = (value: Json | undefined, operand: Json | undefined) => boolean;

function numbers(holds: (value: number, operand: number) => boolean): Test {
  return (value, operand) =>
    typeof value === 'number' && typeof operand === 'number' && holds(value, operand);
}

function strings(holds: (value: string, operand: string) => boolean): Test {
  return (value, operand) =>
    typeof value === 'string' && typeof operand === 'string' && holds(value, operand);
}

const TESTS: Record<string, Test> = {
  at_most: numbers((value, limit) => value <= limit),
  at_least: numbers((value, limit) => value >= limit),
  less_than: numbers((value, limit) => value < limit),
  more_than: numbers((value, limit) => value > limit),
  between: numbers((value, limit) => value >= 0 && value <= limit),
  equals: (value, operand) =>
    operand !== undefined && operand !== null && JSON.stringify(value) === JSON.stringify(operand),
  one_of: (value, operand) =>
    value !== undefined &&
    value !== null &&
    Array.isArray(operand) &&
    operand.some((each) => JSON.stringify(each) === JSON.stringify(value)),
  prefix: strings((value, prefix) => value.startsWith(prefix)),
  path_under: strings(isUnder),
  length_at_most: (value, limit) =>
    typeof value === 'string' && typeof limit === 'number' && Array.from(value).length <= limit,
};

export function passes(test: string, value: Json | undefined, operand: Json | undefined): boolean {
  return TESTS[test]?.(value, operand) ?? false;
}

/** A path that its reader might resolve elsewhere lies nowhere. */
function isUnder(path: string, base: string): boolean {
  const steps = path.replace(/\/$/u, '').split('/');
  const folder = base.replace(/\/$/u, '').split('/');
  const isEvasive = steps.some((step, i) => ['.', '..'].includes(step) || (step === '' && i > 0));
  if (isEvasive || /[\\\0]/u.test(path)) return false;
  return path !== '' && folder.every((step, i) => steps[i] === step);
}
