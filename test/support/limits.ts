import { afterAll, beforeAll } from 'vitest';
import { LIMITS } from '../../src/serve/limits.ts';

/** Other limits for the servers that the tests of one file start. */
export function withLimits(limits: Partial<Record<keyof typeof LIMITS, number>>): void {
  const usual = { ...LIMITS };
  beforeAll(() => void Object.assign(LIMITS, limits));
  afterAll(() => void Object.assign(LIMITS, usual));
}
