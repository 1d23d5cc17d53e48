import { useMemo, useState } from 'preact/hooks';
import type { PageItem, PageModel } from '../models/page-model.ts';
import { scaleOf } from '../models/scale.ts';
import { OwnList } from './own-list.tsx';
import { PopularList } from './popular-list.tsx';
import { RecommendationList } from './recommendation-list.tsx';
import { SearchOwn } from './search-own.tsx';
import { SimilarDialog } from './similar-dialog.tsx';
import { StarterGrid } from './starter-grid.tsx';
import { useOwnItems } from './use-own-items.ts';
import { useRecommendations } from './use-recommendations.ts';

export function RecommendView({ model }: { readonly model: PageModel }) {
  const { low, high } = model.manifest.data;
  const scale = useMemo(() => scaleOf(low, high), [low, high]);
  const own = useOwnItems(model);
  const shown = useRecommendations(model, own.list);
  const [similarTo, setSimilarTo] = useState<PageItem>();
  const parts = { model, scale, own };
  const [first] = shown.list;
  return (
    <div class="recommend">
      <div class="ask-column">
        <SearchOwn {...parts} />
        <StarterGrid {...parts} />
      </div>
      <div class="answer-column">
        <RecommendationList {...{ model, scale, shown }} onSimilar={setSimilarTo} />
        <PopularList {...{ model, own }} recommended={shown.list} />
      </div>
      <OwnList {...parts} />
      <p class="hidden-label" aria-live="polite">
        {first && `${shown.list.length} recommendations. The first: ${model.item(first.item).title}.`}
      </p>
      {similarTo && <SimilarDialog {...parts} item={similarTo} onClose={() => setSimilarTo(undefined)} />}
    </div>
  );
}
