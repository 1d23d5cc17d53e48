import fc from 'fast-check';
import { beforeEach, inject } from 'vitest';
import './support/soak.ts';

const soak = inject('soak');
// The same cases every time, so that a failure comes from the change; the soak looks for new ones.
fc.configureGlobal({ seed: soak ?? 20_261_124 });
if (soak !== undefined)
  beforeEach(({ onTestFailed }) =>
    onTestFailed(() => console.error(`SEED=${soak} npm run test:soak tries the same cases`)),
  );
