import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { writeArtifact } from '../../src/artifact/artifact.ts';
import type { Artifact } from '../../src/artifact/manifest.ts';
import { readRatings } from '../../src/data/read/read.ts';
import { load } from '../../src/recommend/load.ts';
import type { Recommender } from '../../src/recommend/recommender.ts';
import { type ServeOptions, type Server, serve } from '../../src/serve/serve.ts';
import type { Recipe } from '../../src/train/recipe/recipe.ts';
import { train } from '../../src/train/train.ts';
import { ratingsCsv } from './cli.ts';
import { temporaryFolder } from './files.ts';
import { standInPage } from './stand-in.ts';

/** Titles of some of the items. */
export const titles = new Map([
  ['i1', 'The First'],
  ['i2', 'Zwei & "quoted"'],
]);

/** A small model of 30 users, u0 to u29, and 20 items, i0 to i19. */
export async function smallModel(path: string, recipe: Recipe = {}): Promise<Artifact> {
  const { ratings } = await readRatings(path);
  const model = await train(ratings, { factors: 4, epochs: 2, ...recipe });
  return model.artifact({ titles, seen: true });
}

/** The pairs of `ratingsCsv`, without ratings. */
export const interactionsCsv = () => ratingsCsv().replace(/^(\w+,\w+),.*$/gm, '$1');

/**
 * A folder `movies` that is served to the tests of one file, with a small page, and the same model in this thread.
 *
 * @param csv what the model is trained on
 * @param recipe how it is trained
 * @param collects whether the server stores feedback, in the folder `feedback`
 */
export function served({
  csv = ratingsCsv(),
  recipe,
  collects = false,
  ...options
}: ServeOptions & { readonly csv?: string; readonly recipe?: Recipe; readonly collects?: boolean } = {}) {
  const folder = temporaryFolder();
  const model = {
    directory: '',
    url: '',
    server: undefined as unknown as Server,
    recommender: undefined as unknown as Recommender,
    folder,
    get: (path: string, init?: RequestInit) => ask(`${model.url}${path}`, init),
    post: (path: string, body: unknown, init: RequestInit = {}) =>
      ask(`${model.url}${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: typeof body === 'string' ? body : JSON.stringify(body),
        ...init,
      }),
  };
  beforeAll(async () => {
    model.directory = join(folder.path, 'movies');
    await writeArtifact(model.directory, await smallModel(await folder.write('ratings.csv', csv), recipe));
    model.recommender = await load(model.directory);
    const page = await standInPage(join(folder.path, 'page'));
    const feedback = collects ? join(folder.path, 'feedback') : undefined;
    model.server = await serve([model.directory], {
      port: 0,
      logLevel: 'silent',
      page,
      feedback,
      ...options,
    });
    model.url = model.server.url;
  });
  afterAll(() => model.server?.close());
  return model;
}

/** The status, and what the JSON of the answer says. */
async function ask(url: string, init?: RequestInit) {
  const response = await fetch(url, init);
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text && JSON.parse(text) };
}
