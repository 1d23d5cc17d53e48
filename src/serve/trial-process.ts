import { writeFile } from 'node:fs/promises';
import { readArtifact } from '../artifact/artifact.ts';
import type { Device } from '../run/device-names.ts';
import { runtimeOn } from '../run/node.ts';
import { report } from '../run/trial-process.ts';
import { openModel } from './models.ts';

/** The process of `trial.ts`: asks the artifact in a folder, on a device, which are its arguments, and says how that went. */
const [, , directory, device] = process.argv;
// Where memory runs out, Linux ends this process before any other.
await writeFile('/proc/self/oom_score_adj', '1000').catch(() => undefined);

await report(async () => {
  const artifact = await readArtifact(directory);
  await openModel(artifact, directory, 1, await runtimeOn(device as Device));
  return JSON.stringify(artifact.manifest);
});
