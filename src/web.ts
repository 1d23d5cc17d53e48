/** All that a page may import from cofactor: no Node module, and nothing that a page does not use until it asks. */
import { fetchArtifact } from './artifact/fetch.ts';
import { type Artifact, privateFiles } from './artifact/manifest.ts';
import { UserError } from './errors.ts';
import { checkLoad, type LoadOptions, WEB_LOAD_OPTIONS } from './recommend/load-options.ts';
import { Recommender } from './recommend/recommender.ts';
import { type WebRuntimeOptions, webRuntime } from './run/web.ts';

export { type FetchOptions, type FetchProgress, fetchArtifact } from './artifact/fetch.ts';
export { type Artifact, type Manifest, partsOf, type TrainedFor } from './artifact/manifest.ts';
export type { Understanding } from './data/read/understanding.ts';
export { type ErrorCode, UserError } from './errors.ts';
export type { LoadOptions } from './recommend/load-options.ts';
export {
  type FoldedIn,
  type Item,
  type ItemRating,
  type ListOptions,
  type Own,
  type Recommended,
  Recommender,
  type RecommendOptions,
  type Rows,
  type Similar,
} from './recommend/recommender.ts';
export type { Runtime } from './run/runtime.ts';
export { type WebRuntimeOptions, webRuntime } from './run/web.ts';
export type { EpochRecord, Progress } from './train/progress.ts';
export type { Recipe } from './train/recipe/recipe.ts';
export type { ReadSummary } from './web/messages.ts';
export {
  train,
  type UnderstandOptions,
  understand,
  type WebTrained,
  type WebTrainOptions,
} from './web/train.ts';

/** `LoadOptions`, and where a page gets ONNX Runtime from. */
export interface WebLoadOptions extends LoadOptions, WebRuntimeOptions {}

/**
 * Loads a trained model in a page: `await load('/models/movies/')`. The runtime and the files are fetched side by side,
 * and every file is checked against the manifest.
 *
 * @param source the model's folder: a URL, or a path on the page's server
 * @param options `heads` are fetched and opened at once; without them all public files are fetched, and with `private` those
 *   about users, too; each head is opened when it is first needed
 * @throws UserError if there is no model, a file is missing or changed, or the browser cannot run it
 */
export async function load(source: string | URL, options: WebLoadOptions = {}): Promise<Recommender> {
  checkLoad(source, options, WEB_LOAD_OPTIONS);
  const { device, runtime, heads } = options;
  if (device !== undefined && device !== 'cpu' && device !== 'auto')
    throw new UserError('device', `a page runs models on the CPU; leave out the device ${device}`);
  const [artifact, ready] = await Promise.all([
    fetchArtifact(source, options),
    runtime ?? webRuntime(options),
  ]);
  warn(artifact, source);
  return Recommender.create(artifact, ready, heads);
}

/** Addresses of models that `warn` has warned of. */
const warned = new Set<string>();

/** Says once of a model that it was probably published as a whole, unless the page asks for what is about users. */
function warn({ manifest, files }: Artifact, source: string | URL): void {
  const hidden = privateFiles(manifest);
  const address = String(source);
  if (warned.has(address) || hidden.length === 0 || hidden.some((name) => files[name])) return;
  warned.add(address);
  console.warn(
    `cofactor: the manifest in ${address} lists ${hidden.join(', ')}, which tell about users; if they lie there, everybody can fetch them: publish what npx cofactor export MODEL --public OUT writes`,
  );
}
