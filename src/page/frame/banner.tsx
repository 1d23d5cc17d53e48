import { modelName } from '../models/page-model.ts';
import type { OwnModel } from '../models/use-own-model.ts';

/** Says that a model that the visitor trained is in use, or offers one from an earlier visit. */
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
