import { useEffect, useState } from 'preact/hooks';
import { Recommender, type WebTrained } from '../../web.ts';
import { messageOf } from '../messages.ts';
import { forgetModel, type KeptModel, keepModel, keptModel } from './kept-model.ts';
import { runtime } from './open.ts';
import { PageModel } from './page-model.ts';

export interface OwnModel {
  /** The visitor's model, while it is in use. */
  readonly model: PageModel | undefined;
  /** What it was trained as, if that was in this visit. */
  readonly trained: WebTrained | undefined;
  /** One from a former visit, or from before the page's own was chosen again. */
  readonly offered: KeptModel | undefined;
  /** Why it is not kept, or could not be opened. */
  readonly problem: string | undefined;
  use(kept: KeptModel, trained?: WebTrained): Promise<void>;
  /** Back to the page's own model. */
  leave(): void;
  forget(): void;
}

export function useOwnModel(): OwnModel {
  const [model, setModel] = useState<PageModel>();
  const [trained, setTrained] = useState<WebTrained>();
  const [offered, setOffered] = useState<KeptModel>();
  const [problem, setProblem] = useState<string>();

  useEffect(() => {
    void keptModel().then(setOffered);
  }, []);

  return {
    model,
    trained,
    offered: model ? undefined : offered,
    problem,
    async use(kept, trained) {
      setProblem(undefined);
      try {
        const recommender = await Recommender.create(kept.artifact, runtime(), []);
        setModel(new PageModel(recommender, undefined, kept.source));
        setTrained(trained);
        setOffered(kept);
      } catch (error) {
        setProblem(messageOf(error));
        return;
      }
      if (!(await keepModel(kept)))
        setProblem('there is no room to keep it for your next visit; download it instead');
    },
    leave() {
      setModel(undefined);
      setTrained(undefined);
      setProblem(undefined);
    },
    forget() {
      setOffered(undefined);
      void forgetModel();
    },
  };
}
