import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { metricsOf, type Reference, TOLERANCE } from '../conformance/metric-cases.ts';

// Made by `npx tsx test/conformance/metrics.ts --cases 20 --write`, and formatted.
const references: Reference[] = JSON.parse(
  await readFile(new URL('references.json', import.meta.url), 'utf8'),
);

test('agree with scikit-learn and trec_eval', async () => {
  for (const { case: one, metrics } of references) {
    const own = await metricsOf(one);
    expect(Object.keys(own).sort()).toEqual(Object.keys(metrics).sort());
    for (const [name, value] of Object.entries(metrics))
      expect(Math.abs(own[name] - value)).toBeLessThanOrEqual(TOLERANCE);
  }
});
