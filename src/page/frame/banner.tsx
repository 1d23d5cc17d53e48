import { modelName } from '../models/page-model.ts';
import type { OwnModel } from '../models/use-own-model.ts';

/** Which model is in use, if it is not the page's own; and one that could be. */
export function Banner({ own }: { readonly own: OwnModel }) {
  const { model, offered, problem, use, leave, forget } = own;
  if (!model && !offered && !problem) return null;
  return (
    <section class="banner" aria-label="Model in use">
      {model && (
        <p>
          <span>
            You are using your own {modelName(model.manifest)}, trained on <b>{model.source}</b>.
          </span>
          <button type="button" class="quiet" onClick={leave}>
            Back to the first model
          </button>
        </p>
      )}
      {offered && (
        <p>
          <span>
            Your own {modelName(offered.artifact.manifest)}, trained on <b>{offered.source}</b>, is kept in
            this browser.
          </span>
          <button type="button" class="quiet" onClick={() => void use(offered)}>
            Use it
          </button>
          <button type="button" class="quiet" onClick={forget}>
            Forget it
          </button>
        </p>
      )}
      {problem && <p role="alert">About your model: {problem}.</p>}
    </section>
  );
}
