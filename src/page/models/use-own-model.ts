import { createStore, del, get, set } from 'idb-keyval';
import { useEffect, useState } from 'preact/hooks';
import { type Artifact, Recommender, type WebTrained } from '../../web.ts';
import { messageOf } from '../messages.ts';
import { runtime } from './open.ts';
import { PageModel } from './page-model.ts';

/** A model that was trained in the page, as it is kept for the next visit. */
export interface KeptModel {
  readonly source: string;
  readonly artifact: Artifact;
}

export interface OwnModel {
  readonly model: PageModel | undefined;
  /** What it was trained as, if that was in this visit. */
  readonly trained: WebTrained | undefined;
  /** One from a former visit, or from before the page's own was chosen again. */
  readonly offered: KeptModel | undefined;
  readonly problem: string | undefined;
  use(kept: KeptModel, trained?: WebTrained): Promise<void>;
  /** Back to the page's own model. */
  leave(): void;
  forget(): void;
}

const store = createStore('cofactor', 'models');
const KEY = 'used';

/** Asks the store, which throws at once where the browser keeps nothing. */
const kept = {
  read: async () => get<KeptModel>(KEY, store),
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
        .catch(() => setProblem('there is no room to keep it for your next visit; download it instead'));
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
