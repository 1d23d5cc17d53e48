import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Artifact } from '../artifact/manifest.ts';
import { publishedFiles, type SiteFiles } from '../artifact/site.ts';
import { sha256 } from '../util/hash.ts';
import type { ServedModel } from './models.ts';
import { INDEX } from './page-files.ts';
import { type SendFile, staticFile } from './static-file.ts';

/** Files by the path of the request. */
type Files = ReadonlyMap<string, SendFile>;

/**
 * Serves the web page at `/`, and at `/model/` the published files of the first model, in its current version.
 */
export function addPage(app: FastifyInstance, models: readonly ServedModel[], page: Files): void {
  const ofModel = new WeakMap<Artifact, Promise<Files>>();

  function modelFiles(): Promise<Files> {
    const { artifact } = models[0].current.recommender;
    const known = ofModel.get(artifact) ?? staticFiles(publishedFiles(artifact), 'model/', artifact);
    ofModel.set(artifact, known);
    return known;
  }

  /** Looks paths up in a map, so that no path can lead to another file. */
  const answer =
    (files: () => Files | Promise<Files>) =>
    async (request: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
      const [path] = request.url.split('?');
      const send = (await files()).get(path === '/' ? `/${INDEX}` : path);
      return send ? send(request, reply) : reply.callNotFound();
    };

  // A route for each file at the top and for each folder, so that other requests get the usual 404.
  const routes = [...page.keys()].map((path) => path.replace(/^(\/[^/]+\/).*/, '$1*'));
  const schema = { hide: true };
  const ofPage = answer(() => page);
  for (const route of new Set(['/', ...routes])) app.get(route, { schema }, ofPage);
  app.get('/model/:file', { schema }, answer(modelFiles));
}

/**
 * Prepares the files of a page for sending.
 *
 * @param artifact its manifest has the hashes of most files. Default: all hashes are computed
 */
export async function staticFiles(files: SiteFiles, folder = '', artifact?: Artifact): Promise<Files> {
  const entries = Object.entries(files).map(async ([name, bytes]) => {
    const path = folder + name;
    const hash = artifact?.manifest.files[name]?.sha256 ?? (await sha256(bytes));
    const url = `/${path.split('/').map(encodeURIComponent).join('/')}`;
    return [url, staticFile(path, bytes, hash)] as const;
  });
  return new Map(await Promise.all(entries));
}
