// Holds cofactor's metrics against those of scikit-learn and trec_eval on random cases, and prints the largest
// differences; with --write it keeps cases and numbers for test/evaluate/references.test.ts, which needs no Python.
import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { pythonEnvironment } from '../support/python.ts';
import { metricsOf, type Reference, randomCases, TOLERANCE } from './metric-cases.ts';

const { values: options } = parseArgs({
  options: {
    cases: { type: 'string', default: '2000' },
    seed: { type: 'string', default: '1' },
    write: { type: 'boolean', default: false },
  },
});
const path = (file: string): string => fileURLToPath(new URL(file, import.meta.url));

const cases = randomCases(Number(options.cases), Number(options.seed));
const python = await pythonEnvironment('metrics', path('requirements-metrics.txt'));
const { status, stdout, stderr } = spawnSync(python, [path('metrics.py')], {
  input: JSON.stringify(cases),
  maxBuffer: 1 << 30,
  encoding: 'utf8',
});
if (status !== 0) throw new Error(stderr);
const references = (JSON.parse(stdout) as Reference['metrics'][]).map(
  (metrics, index): Reference => ({ case: cases[index], metrics }),
);

const largest: Record<string, number> = {};
for (const { case: one, metrics } of references) {
  const own = await metricsOf(one);
  for (const [name, value] of Object.entries(metrics))
    largest[name] = Math.max(largest[name] ?? 0, Math.abs(own[name] - value));
}
console.log(`largest differences on ${cases.length} cases`);
console.table(largest);
// What is not a number is no agreement either.
if (!Object.values(largest).every((difference) => difference <= TOLERANCE)) process.exitCode = 1;
else if (options.write)
  await writeFile(path('../evaluate/references.json'), `${JSON.stringify(references)}\n`);
