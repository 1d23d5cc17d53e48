import { fileURLToPath } from 'node:url';
import { readServed } from '../artifact/artifact.ts';
import { checkHeads } from '../artifact/check-heads.ts';
import { fetchArtifact } from '../artifact/fetch.ts';
import { UserError } from '../errors.ts';
import { nodeRuntime } from '../run/node.ts';
import { flag } from '../util/options.ts';
import { checkLoad, LOAD_OPTIONS, type LoadOptions } from './load-options.ts';
import { Recommender } from './recommender.ts';

/** `LoadOptions`, and whether the model is one's own. */
export interface NodeLoadOptions extends LoadOptions {
  /**
   * Opens a model of one's own without the checks of what a stranger could have made of it. Its files may then be links.
   *
   * @default false
   */
  readonly trust?: boolean | undefined;
}

/**
 * Loads a trained model, in Node: `await load('movies')` or `await load('https://example.org/movies/')`. Every file is
 * checked against the manifest, and each head for what a stranger could have made of it.
 *
 * @param source the model's folder: a path, or a URL
 * @param options `heads` are read and opened at once; without them all are read, and each is opened when it is first
 *   needed
 * @throws UserError if there is no model, a file is missing, changed or suspicious, ONNX Runtime refuses it, or the device is not
 *   available
 */
export async function load(source: string | URL, options: NodeLoadOptions = {}): Promise<Recommender> {
  checkLoad(source, options, { ...LOAD_OPTIONS, trust: flag });
  const { device, runtime, heads, trust } = options;
  // A program asks a host that it trusts, or reads its own disk.
  const asked = { ...options, private: options.private ?? true };
  const isWeb = /^https?:/i.test(String(source));
  const [artifact, ready] = await Promise.all([
    isWeb ? fetchArtifact(source, asked) : readServed(pathOf(source), asked),
    runtime ?? nodeRuntime({ device }),
  ]);
  if (!trust) checkHeads(artifact);
  return Recommender.create(artifact, ready, heads);
}

function pathOf(source: string | URL): string {
  if (!/^file:/i.test(String(source))) return String(source);
  try {
    return fileURLToPath(source);
  } catch (error) {
    throw new UserError('argument', `${source}: is no path on this machine (${(error as Error).message})`);
  }
}
