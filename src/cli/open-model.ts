import { readArtifact } from '../artifact/artifact.ts';
import { checkHeads } from '../artifact/check-heads.ts';
import type { Artifact } from '../artifact/manifest.ts';
import { load } from '../recommend/load.ts';
import type { Recommender } from '../recommend/recommender.ts';
import { type Choices, type Given, kinds } from '../util/choices.ts';
import { chosenDevice, type Flags } from './choice-options.ts';

/** Flags of the commands that read a model. */
export const OPENING = {
  trust: {
    kind: kinds.flag,
    help: 'open a model of your own without the checks of what a stranger could have made of it; its files may be links',
  },
} as const satisfies Choices;

/** The model in a folder, on the device that the flags choose. */
export const openModel = async (
  directory: string,
  { trust, ...flags }: Flags<'device', typeof OPENING>,
): Promise<Recommender> => load(directory, { device: await chosenDevice(flags), trust });

/** The files of the model in a folder, for commands that do not ask it. */
export async function readModel(directory: string, { trust }: Given<typeof OPENING>): Promise<Artifact> {
  const artifact = await readArtifact(directory, { trust });
  if (!trust) checkHeads(artifact);
  return artifact;
}
