import { useState } from 'preact/hooks';
import { type FetchProgress, fetchArtifact, Recommender, type Runtime, webRuntime } from '../../web.ts';
import { type Answer, useAnswer } from '../use-answer.ts';
import { PageModel } from './page-model.ts';

const URL_OF_MODEL = './model/';

/** The heads that the first view and the map need. */
const FIRST_HEADS = ['fold-in', 'similar', 'factors'];

let coming: Promise<Runtime> | undefined;

/**
 * The runtime of all models, downloaded on first use. Only sessions wait for it, so titles can be shown before it is there.
 */
export function runtime(): Runtime {
  coming ??= webRuntime();
  const runtime = coming;
  // `createSession` reports the error.
  runtime.catch(() => undefined);
  return {
    name: 'onnxruntime-web',
    version: '',
    createSession: async (...model) => (await runtime).createSession(...model),
  };
}

async function openDemo(onProgress: (progress: FetchProgress) => void): Promise<PageModel> {
  const opened = runtime();
  const fetched = async (heads: readonly string[], onProgress?: (progress: FetchProgress) => void) => {
    // A model of weights has no factors.
    const ofModel = (all: readonly string[]) => heads.filter((head) => all.includes(head));
    return Recommender.create(await fetchArtifact(URL_OF_MODEL, { heads: ofModel, onProgress }), opened);
  };
  return new PageModel(await fetched(FIRST_HEADS, onProgress), (head) => fetched([head]));
}

/** The page's model, and the progress of its download. */
export type Demo = Answer<PageModel> & { readonly progress?: FetchProgress };

export function useDemo(): Demo {
  const [progress, setProgress] = useState<FetchProgress>();
  return { ...useAnswer(setProgress, openDemo), progress };
}
