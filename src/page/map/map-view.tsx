import { type ItemMap, itemMap } from '../../util/item-map.ts';
import type { PageItem, PageModel } from '../models/page-model.ts';
import { Problem } from '../parts.tsx';
import { type Answer, useAnswer } from '../use-answer.ts';
import { EndsLists } from './ends-lists.tsx';
import { MapChart } from './map-chart.tsx';
import { StandingTables, standings } from './standing-tables.tsx';

async function ask(model: PageModel): Promise<ItemMap<PageItem> | undefined> {
  if (!model.can('factors') || model.items.length === 0) return undefined;
  const { items } = model;
  const factors = await (await model.with('factors')).factors(items.map(({ id }) => id));
  return itemMap(items, factors, { wellKnown: model.wellKnown().length, featuresOf: (item) => item });
}

export function MapView({ model, dark }: { readonly model: PageModel; readonly dark: boolean }) {
  const map = useAnswer(model, ask);
  const found = useAnswer(model, standings);
  return (
    <div class="map">
      <MapPart {...{ model, map, dark }} />
      {map.state === 'here' && map.value && <EndsLists {...{ model }} map={map.value} />}
      {found.state === 'here' && found.value && <StandingTables {...{ model }} found={found.value} />}
      {found.state === 'failed' && <Problem>{found.message}</Problem>}
    </div>
  );
}

interface PartProps {
  readonly model: PageModel;
  readonly map: Answer<ItemMap<PageItem> | undefined>;
  readonly dark: boolean;
}

function MapPart({ model, map, dark }: PartProps) {
  if (map.state === 'waiting')
    return (
      <div class="map-frame waiting">
        <p role="status" class="spinner">
          Drawing the map…
        </p>
      </div>
    );
  if (map.state === 'failed') return <Problem>{map.message}</Problem>;
  if (!map.value)
    return (
      <p class="notice">
        {model.byWeights
          ? model.words.noMap
          : `This model has no map, because its ${model.words.items} have no factors.`}
      </p>
    );
  return <MapChart {...{ model, dark }} map={map.value} />;
}
