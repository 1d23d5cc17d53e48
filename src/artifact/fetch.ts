import { option, UserError } from '../errors.ts';
import {
  type Artifact,
  checkFile,
  IS_MODEL,
  MANIFEST,
  type Manifest,
  MOST_MANIFEST_BYTES,
  parseManifest,
  type ServedOptions,
  servedFiles,
} from './manifest.ts';

/** How much of a model has been read or fetched. */
export interface FetchProgress {
  /** Bytes, of `total`. */
  readonly loaded: number;
  readonly total: number;
}

export interface FetchOptions extends ServedOptions {
  /** In a page: keeps files for the next visit, where the browser can. @default true */
  readonly cache?: boolean;
  /** Largest size of a model at a URL, in bytes. @default 2_147_483_648 (2 GiB) */
  readonly maxBytes?: number;
  /** Stops reading or fetching. */
  readonly signal?: AbortSignal;
  /** Called while files arrive. */
  onProgress?(progress: FetchProgress): void;
}

/** How long a host may send less. */
const PATIENCE_MS = 60_000;

/** Name of the browser's cache of model files, by address and hash. */
const CACHE = 'cofactor-models';

/** Where a model is fetched from and cached. */
interface Source {
  readonly folder: URL;
  /** Absent if the browser has no cache. */
  readonly cache?: Cache;
  readonly signal?: AbortSignal;
}

/**
 * Fetches the public files of an artifact, and private ones if asked, and checks each against its manifest. Files that are cached from an earlier visit are not
 * fetched again, and are used when there is no network.
 *
 * @param url the folder that holds `manifest.json`
 * @throws UserError if there is no manifest, a file does not match it, or the network fails
 */
export async function fetchArtifact(url: string | URL, options: FetchOptions = {}): Promise<Artifact> {
  const folder = addressOf(url);
  if (!folder.pathname.endsWith('/')) folder.pathname += '/';
  const cache = options.cache === false ? undefined : await openCache();
  const source = { folder, cache, signal: options.signal };
  const manifest = await fetchManifest(source);
  try {
    return await fetchFiles(source, manifest, options);
  } catch (error) {
    // A new model may have been published in the meantime.
    const current = await fetchManifest(source).catch(() => manifest);
    if (JSON.stringify(current) === JSON.stringify(manifest)) throw error;
    return fetchFiles(source, current, options);
  }
}

async function openCache(): Promise<Cache | undefined> {
  try {
    // Only pages from HTTPS or localhost have a cache. The mere look at it throws in sandboxed frames, and without cookies.
    return await globalThis.caches?.open(CACHE);
  } catch {
    return undefined;
  }
}

function addressOf(url: string | URL): URL {
  try {
    return new URL(url, globalThis.location?.href);
  } catch {
    throw new UserError('network', `${url}: is not an address; give one such as https://example.org/model/`);
  }
}

async function fetchFiles(from: Source, manifest: Manifest, options: FetchOptions): Promise<Artifact> {
  const { maxBytes = 2 ** 31, signal, onProgress } = options;
  const wanted = servedFiles(manifest, options);
  const total = wanted.reduce((sum, name) => sum + manifest.files[name].bytes, 0);
  if (total > maxBytes)
    throw new UserError(
      'model',
      `${from.folder}: has ${total} bytes, more than the ${maxBytes} that are allowed; allow more with ${option('maxBytes')}`,
    );
  // The first failure stops the other downloads.
  const stop = new AbortController();
  const source = { ...from, signal: stop.signal };
  const end = (): void => stop.abort(signal?.reason);
  if (signal?.aborted) end();
  signal?.addEventListener('abort', end);
  const loaded = new Map<string, number>();
  const report = (name: string, bytes: number): void => {
    loaded.set(name, bytes);
    try {
      onProgress?.({ loaded: [...loaded.values()].reduce((sum, one) => sum + one, 0), total });
    } catch (error) {
      stop.abort(error);
      throw error;
    }
  };
  try {
    const files = await Promise.all(
      wanted.map(async (name) => {
        const bytes = await fetchFile(source, manifest, name, (done) => report(name, done));
        report(name, manifest.files[name].bytes);
        return [name, bytes] as const;
      }),
    );
    forget(source, manifest).catch(() => undefined);
    return { manifest, files: Object.fromEntries(files) };
  } catch (error) {
    stop.abort(error);
    throw error;
  } finally {
    signal?.removeEventListener('abort', end);
  }
}

/** Fetches the manifest, which may be new; takes the cached one when there is no network. */
async function fetchManifest({ folder, cache, signal }: Source): Promise<Manifest> {
  const url = new URL(MANIFEST, folder);
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = await download(url, {
      init: { signal, cache: 'no-cache' },
      most: MOST_MANIFEST_BYTES,
      isThere: IS_MODEL,
    });
  } catch (error) {
    const kept = await keptIn(cache, url);
    if (!kept || signal?.aborted) throw error;
    bytes = kept;
  }
  const manifest = parseManifest(bytes, url.href);
  await keep(cache, url, bytes);
  return manifest;
}

async function fetchFile(
  { folder, cache, signal }: Source,
  manifest: Manifest,
  name: string,
  onBytes: (bytes: number) => void,
): Promise<Uint8Array> {
  const key = keyOf(folder, manifest, name);
  const kept = await keptIn(cache, key);
  if (kept) {
    const problem = await checkFile(manifest, name, kept, name).catch((error: Error) => error);
    if (!problem) return kept;
  }
  const url = new URL(name, folder);
  const bytes = await download(url, {
    init: { signal },
    most: manifest.files[name].bytes,
    isThere: `${MANIFEST} lists it; publish it, or name the heads that are there in ${option('heads')}`,
    onBytes,
  });
  await checkFile(manifest, name, bytes, url.href);
  await keep(cache, key, bytes);
  return bytes;
}

function keyOf(folder: URL, { files }: Manifest, name: string): string {
  return `${new URL(name, folder)}?sha256=${files[name].sha256}`;
}

/** A cached file; undefined if there is none, or the browser cannot read it. */
async function keptIn(cache: Cache | undefined, key: URL | string) {
  try {
    const kept = await cache?.match(key);
    return kept && new Uint8Array(await kept.arrayBuffer());
  } catch {
    return undefined;
  }
}

/** Caches a file. A full disk is no reason to fail. */
async function keep(cache: Cache | undefined, key: URL | string, bytes: Uint8Array<ArrayBuffer>) {
  await cache?.put(key, new Response(bytes)).catch(() => undefined);
}

/** Removes the cached files of an older model from the same address. */
async function forget({ cache, folder }: Source, manifest: Manifest): Promise<void> {
  if (!cache) return;
  const current = new Set(Object.keys(manifest.files).map((name) => keyOf(folder, manifest, name)));
  current.add(new URL(MANIFEST, folder).href);
  const folderUrl = new URL('.', folder).href;
  for (const { url } of await cache.keys())
    if (new URL('.', url).href === folderUrl && !current.has(url)) await cache.delete(url);
}

interface Download {
  readonly init: RequestInit;
  /** Bytes after which reading ends: a host may send more than it says. */
  readonly most: number;
  /** What to do if it is not there. */
  readonly isThere: string;
  onBytes?(bytes: number): void;
}

async function download(url: URL, options: Download): Promise<Uint8Array<ArrayBuffer>> {
  const { signal } = options.init;
  let response: Response;
  try {
    response = await fetch(url, options.init);
    if (response.ok && response.body) return await readAll(response.body, options);
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    const allowed = globalThis.document ? ', and do CORS and connect-src allow it' : '';
    throw new UserError(
      'network',
      `${url}: cannot be fetched (${(error as Error).message}); is the network there${allowed}?`,
    );
  }
  throw new UserError('network', `${url}: cannot be fetched (HTTP ${response.status}); ${options.isThere}`);
}

/** Reads to the end, or to the first bytes after the most. */
async function readAll(body: ReadableStream<Uint8Array>, { most, onBytes }: Download) {
  const chunks: Uint8Array[] = [];
  let length = 0;
  const start = performance.now();
  for (const reader = body.getReader(); ; ) {
    const { done, value } = await reader.read();
    if (done) break;
    length += value.length;
    chunks.push(value);
    if (length > most) {
      reader.cancel().catch(() => undefined);
      break;
    }
    onBytes?.(length);
    // A host could send a byte a second, for ever.
    if (length < performance.now() - start - PATIENCE_MS) throw new Error('it sends less than 1 kB a second');
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}
