import { expect, test } from 'vitest';
import { BUDGETS, type Part, sizeOf } from '../support/size.ts';

test.each(Object.keys(BUDGETS) as Part[])('our code in %s stays within its budget', async (part) => {
  const { own, whole } = await sizeOf(part);
  expect(own).toBeLessThanOrEqual(BUDGETS[part]);
  expect(own).toBeLessThan(whole);
});
