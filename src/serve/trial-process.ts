import { writeFile } from 'node:fs/promises';
import { readArtifact } from '../artifact/artifact.ts';
import type { Device } from '../run/device-names.ts';
import { runtimeOn } from '../run/node.ts';
import { report } from '../run/trial-process.ts';
import { openModel } from './models.ts';

/** The process that `trial.ts` starts: loads and runs the artifact in a folder on a device, and reports the result. */
const [, , directory, device] = process.argv;
// If memory runs out, Linux kills this process first.
await writeFile('/proc/self/oom_score_adj', '1000').catch(() => undefined);

await report(async () => {
  const artifact = await readArtifact(directory);
  await openModel(artifact, directory, 1, await runtimeOn(device as Device));
  return JSON.stringify(artifact.manifest);
});
