import { createStore, del, get, set } from 'idb-keyval';
import { useEffect, useState } from 'preact/hooks';
import { upgraded } from '../../artifact/format.ts';
import { type Artifact, type Manifest, Recommender, type WebTrained } from '../../web.ts';
import { messageOf } from '../messages.ts';
import { runtime } from './open.ts';
import { PageModel } from './page-model.ts';

/** A model that was trained in the page, as it is stored for the next visit. */
export interface KeptModel {
  readonly source: string;
  readonly artifact: Artifact;
}

export interface OwnModel {
  readonly model: PageModel | undefined;
  /** The result of its training, if that was in this visit. */
  readonly trained: WebTrained | undefined;
  /** A stored model that is not in use. */
  readonly offered: KeptModel | undefined;
  readonly problem: string | undefined;
  use(kept: KeptModel, trained?: WebTrained): Promise<void>;
  /** Goes back to the page's model. */
  leave(): void;
  forget(): void;
}

const store = createStore('cofactor', 'models');
const KEY = 'used';

/** The store. Its functions throw synchronously if the browser stores nothing; these reject. */
const kept = {
  read: async (): Promise<KeptModel | undefined> => {
    const kept = await get<KeptModel>(KEY, store);
    if (!kept) return undefined;
    const { source, artifact } = kept;
    // An older version of the page may have stored it.
    const manifest = upgraded(artifact.manifest, source) as Manifest;
    return { source, artifact: { ...artifact, manifest } };
  },
  write: async (model: KeptModel) => set(KEY, model, store),
  forget: async () => del(KEY, store),
};

export function useOwnModel(): OwnModel {
  const [model, setModel] = useState<PageModel>();
  const [trained, setTrained] = useState<WebTrained>();
  const [offered, setOffered] = useState<KeptModel>();
  const [problem, setProblem] = useState<string>();

  useEffect(() => {
    kept.read().then(setOffered, () => undefined);
  }, []);

  return {
    model,
    trained,
    offered: model ? undefined : offered,
    problem,
    async use(chosen, trained) {
      setProblem(undefined);
      try {
        const recommender = await Recommender.create(chosen.artifact, runtime());
        setModel(new PageModel(recommender, undefined, chosen.source));
        setTrained(trained);
        setOffered(chosen);
      } catch (error) {
        return setProblem(messageOf(error));
      }
      await kept
        .write(chosen)
        .catch(() => setProblem('there is no space to store it for your next visit; download it instead'));
    },
    leave() {
      setModel(undefined);
      setTrained(undefined);
      setProblem(undefined);
    },
    forget() {
      setOffered(undefined);
      kept.forget().catch(() => undefined);
    },
  };
}
