/** All that a page may import from cofactor: no Node module, and nothing that a page does not use until it asks. */
import { type FetchOptions, fetchArtifact } from './artifact/fetch.ts';
import { Recommender } from './recommend/recommender.ts';
import type { Runtime } from './run/runtime.ts';
import { type WebRuntimeOptions, webRuntime } from './run/web.ts';

export { type FetchOptions, type FetchProgress, fetchArtifact } from './artifact/fetch.ts';
export type { Artifact, Manifest } from './artifact/manifest.ts';
export { UserError } from './errors.ts';
export {
  type FoldedIn,
  type Item,
  type ItemRating,
  Recommender,
  type RecommendOptions,
  type Similar,
} from './recommend/recommender.ts';
export type { Runtime } from './run/runtime.ts';
export { type WebRuntimeOptions, webRuntime } from './run/web.ts';
export type { EpochRecord, Progress } from './train/progress.ts';
export type { Recipe } from './train/recipe/recipe.ts';
export type { ReadSummary, WebTrained } from './web/messages.ts';
export { train, type WebTrainOptions } from './web/train.ts';

export interface LoadOptions extends FetchOptions, WebRuntimeOptions {
  /** Runtime that executes the model. @default webRuntime */
  readonly runtime?: Runtime;
}

/**
 * The model at an address, ready to be asked: `await load('/models/movies/')`. The runtime and the files are fetched side
 * by side. Heads that are named are opened at once, others when they are first asked.
 *
 * @param url the folder that holds `manifest.json`
 * @throws UserError if there is no model, a file does not match its manifest, or the browser cannot run it
 */
export async function load(url: string | URL, options: LoadOptions = {}): Promise<Recommender> {
  const [artifact, runtime] = await Promise.all([
    fetchArtifact(url, options),
    options.runtime ?? webRuntime(options),
  ]);
  return Recommender.create(artifact, runtime, options.heads ?? []);
}
