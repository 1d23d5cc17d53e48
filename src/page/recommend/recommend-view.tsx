import { useMemo, useState } from 'preact/hooks';
import type { PageItem, PageModel } from '../models/page-model.ts';
import { scaleOf } from '../models/scale.ts';
import { PopularList } from './popular-list.tsx';
import { RatedList } from './rated-list.tsx';
import { RecommendationList } from './recommendation-list.tsx';
import { SearchToRate } from './search-to-rate.tsx';
import { SimilarDialog } from './similar-dialog.tsx';
import { StarterGrid } from './starter-grid.tsx';
import { useRatings } from './use-ratings.ts';
import { useRecommendations } from './use-recommendations.ts';

export function RecommendView({ model }: { readonly model: PageModel }) {
  const { low, high } = model.manifest.data;
  const scale = useMemo(() => scaleOf(low, high), [low, high]);
  const ratings = useRatings(model);
  const shown = useRecommendations(model, ratings.list);
  const [similarTo, setSimilarTo] = useState<PageItem>();
  const parts = { model, scale, ratings };
  const [first] = shown.list;
  return (
    <div class="recommend">
      <div class="rate-column">
        <SearchToRate {...parts} />
        <StarterGrid {...parts} />
      </div>
      <div class="answer-column">
        <RecommendationList {...{ model, scale, shown }} onSimilar={setSimilarTo} />
        <PopularList {...{ model, ratings }} recommended={shown.list} />
      </div>
      <RatedList {...parts} />
      <p class="hidden-label" aria-live="polite">
        {first && `${shown.list.length} recommendations. The first: ${model.item(first.item).title}.`}
      </p>
      {similarTo && <SimilarDialog {...parts} item={similarTo} onClose={() => setSimilarTo(undefined)} />}
    </div>
  );
}
