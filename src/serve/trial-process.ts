import { writeFile } from 'node:fs/promises';
import { readArtifact, readManifest } from '../artifact/artifact.ts';
import type { Device } from '../run/device-names.ts';
import { guarded } from '../run/guard.ts';
import { runtimeOn } from '../run/node.ts';
import { report } from '../run/trial-process.ts';
import { openModel } from './open-model.ts';
import { trialLimits } from './trial-limits.ts';
import { runLargest } from './try-out.ts';

/** The process that `trial.ts` starts: loads and runs the artifact in a folder on a device, and reports the result. */
const [, , directory, device, trusted] = process.argv;
const trust = trusted === 'trust';
// If memory runs out, Linux kills this process first.
await writeFile('/proc/self/oom_score_adj', '1000').catch(() => undefined);

await report(async () => {
  if (!trust) {
    const { files } = await readManifest(directory);
    const bytes = Object.values(files).reduce((sum, file) => sum + file.bytes, 0);
    await guarded(trialLimits(bytes, device as Device));
  }
  const artifact = await readArtifact(directory, { trust });
  const runtime = await runtimeOn(device as Device);
  const { recommender, sessions } = await openModel(artifact, {
    name: directory,
    version: 1,
    runtime,
    trust,
  });
  if (!trust) await runLargest(recommender, sessions);
  return JSON.stringify(artifact.manifest);
});
