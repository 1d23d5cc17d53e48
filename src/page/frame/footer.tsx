import { count, decimal } from '../../util/format.ts';
import { modelName, type PageModel } from '../models/page-model.ts';

export function Footer({ model }: { readonly model: PageModel | undefined }) {
  return (
    <footer>
      {model && <Facts model={model} />}
      <p>Made with cofactor, a toolkit for recommenders.</p>
    </footer>
  );
}

function Facts({ model }: { readonly model: PageModel }) {
  const { data, metrics } = model.manifest;
  const error = metrics.valid?.rmse;
  return (
    <p>
      A {modelName(model.manifest)}, trained on {count(data.ratings)} {data.kind} of {count(data.items)}{' '}
      {model.words.items} by {count(data.users)} people{model.source && ` (${model.source})`}.
      {error !== undefined &&
        ` Its predictions miss by ${decimal(error)} rating points (RMSE, on ratings held out).`}
    </p>
  );
}
