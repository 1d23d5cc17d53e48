import type { InferenceSession } from 'onnxruntime-common';
import { option, UserError } from '../errors.ts';
import type { Runtime } from './runtime.ts';
import { turns } from './turns.ts';

export interface WebRuntimeOptions {
  /**
   * URL of the folder with `ort-wasm-simd-threaded.wasm`; it ends in `/`. Default: the folder of ONNX Runtime's JavaScript.
   */
  readonly wasmPaths?: string;
}

const WASM = 'ort-wasm-simd-threaded.wasm';

/** Why ONNX Runtime does not start, by what it or the browser says. */
const OBSTACLES: readonly (readonly [RegExp, string])[] = [
  [/SIMD/, 'use a current browser'],
  [/allocate|out of memory/i, 'there is too little memory'],
  [/Compile|Link/, `its ${WASM} is a page of HTML, cut off or of another version; copy it again`],
  [
    /./,
    `its ${WASM} cannot be fetched; copy it beside its JavaScript, or name its folder in ${option('wasmPaths')}`,
  ],
];

/** A WebAssembly module without content. */
const EMPTY_MODULE = Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0);

/**
 * Gives the ONNX Runtime for a page or a worker. It runs as WebAssembly in the calling thread. The first call downloads it
 * (14 MB, 4 MB compressed).
 *
 * @throws UserError if the browser has no WebAssembly, the page forbids it, or the download fails
 */
export async function webRuntime({ wasmPaths }: WebRuntimeOptions = {}): Promise<Runtime> {
  if (typeof WebAssembly === 'undefined')
    throw new UserError('device', 'this browser has no WebAssembly, which models need; use a current one');
  try {
    new WebAssembly.Module(EMPTY_MODULE);
  } catch {
    throw new UserError(
      'device',
      "the page's Content Security Policy forbids WebAssembly; add 'wasm-unsafe-eval' to its script-src",
    );
  }
  const { env, InferenceSession } = await import('onnxruntime-web/wasm').catch((error: Error) => {
    throw new UserError(
      'device',
      `ONNX Runtime cannot be loaded: ${error.message}; is its JavaScript beside the page's?`,
    );
  });
  env.wasm.numThreads = 1;
  // A text would name the folder of ONNX Runtime's JavaScript, too.
  if (wasmPaths !== undefined) env.wasm.wasmPaths = { wasm: wasmPaths + WASM };
  return {
    name: 'onnxruntime-web',
    version: env.versions.web ?? env.versions.common,
    createSession: (model) =>
      inTurn(async () => {
        const session = await InferenceSession.create(model, { executionProviders: ['wasm'] }).catch(
          explained,
        );
        return oneAtATime(session);
      }),
  };
}

/** Tells a runtime that cannot start from a model that it refuses. */
function explained(error: Error): never {
  const [, reason] = /^no available backend found\. ERR: (.*)/s.exec(error.message) ?? [];
  if (reason === undefined) throw error;
  const [, obstacle] = OBSTACLES.find(([said]) => said.test(reason)) ?? [];
  throw new UserError('device', `ONNX Runtime cannot start: ${obstacle} (${reason})`);
}

/** For the whole thread, because all its sessions share one WebAssembly instance. */
const inTurn = turns();

function oneAtATime(session: InferenceSession): InferenceSession {
  const run = session.run.bind(session) as InferenceSession['run'];
  const release = session.release.bind(session);
  session.run = ((...call: Parameters<typeof run>) => inTurn(() => run(...call))) as typeof run;
  session.release = () => inTurn(release);
  return session;
}
