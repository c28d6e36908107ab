import { expect, test } from '@jest/globals';
import { canonicalJson } from '../../src/contract/canonical.ts';
import { VALIDATORS } from '../../src/contract/validate.ts';

test('members are sorted and undefined ones left out', () => {
  expect(canonicalJson({ b: 1, a: [true, null, 'x'], c: undefined })).toBe('{"a":[true,null,"x"],"b":1}');
});
test.each(Object.entries(VALIDATORS))('%s compiles', (_name, validate) => {
  expect(validate(42).ok).toBe(false);
});
