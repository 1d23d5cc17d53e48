import type { EChartsType } from 'echarts/core';
import { useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { DARK, LIGHT } from '../../style/palette.ts';
import { count } from '../../util/format.ts';
import type { ItemMap } from '../../util/item-map.ts';
import { Chart } from '../chart.tsx';
import { commonGenres, OTHER } from '../genres.ts';
import type { PageItem, PageModel } from '../models/page-model.ts';
import { Icon } from '../parts.tsx';
import { TitleSearch } from '../recommend/title-search.tsx';
import { type Drawing, mapOption, nameItems } from './map-option.ts';
import { showAll, zoomBy, zoomTo } from './zoom.ts';

interface Props {
  readonly model: PageModel;
  readonly map: ItemMap<PageItem>;
  readonly dark: boolean;
}

const SIZES = [150, 500, 2000];
/** The least number that is drawn at first, on a phone and elsewhere. */
const FIRST = { narrow: 150, wide: 500 };

const isNarrow = (): boolean => matchMedia('(max-width: 640px)').matches;

export function MapChart({ model, map, dark }: Props) {
  const [chart, setChart] = useState<EChartsType>();
  const { items } = model.words;
  const all = map.points.length;
  const sizes = [...SIZES.filter((size) => size < all), all];
  const [shown, setShown] = useState(() => Math.min(all, FIRST[isNarrow() ? 'narrow' : 'wide']));
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const [highlighted, setHighlighted] = useState<PageItem>();
  const genres = useMemo(() => commonGenres(model.items), [model]);
  const palette = dark ? DARK : LIGHT;
  const drawing = useMemo(
    (): Drawing => ({ map, words: model.words, shown, genres, hidden, highlighted, palette }),
    [map, shown, genres, hidden, highlighted, palette],
  );
  const option = useMemo(() => mapOption(drawing), [drawing]);
  useNames(chart, drawing);

  const toggle = (genre: string): void => {
    const next = new Set(hidden);
    if (!next.delete(genre)) next.add(genre);
    setHidden(next);
  };

  const find = (item: PageItem): void => {
    const index = map.points.findIndex((one) => one.item === item);
    const next = index < shown ? shown : (sizes.find((size) => size > index) ?? all);
    setShown(next);
    setHidden(new Set());
    setHighlighted(item);
    const points = map.points.slice(0, next).map(({ at }) => at);
    // After the chart has drawn it.
    setTimeout(() => chart && zoomTo(chart, map.points[index].at, points), 50);
  };

  const zoom = (factor: number) => (): void => {
    if (chart) zoomBy(chart, factor);
  };

  return (
    <div class="map-chart">
      <div class="map-tools">
        <TitleSearch
          model={model}
          label={`Find ${items} on the map`}
          placeholder={`Find ${items} on the map`}
          onChoose={find}
        />
        <fieldset class="choices">
          <legend>How many</legend>
          {sizes.map((size) => (
            <label key={size} data-chosen={size === shown}>
              <input type="radio" name="map-size" checked={size === shown} onChange={() => setShown(size)} />
              {size === all ? `All ${count(all)}` : count(size)}
            </label>
          ))}
        </fieldset>
      </div>
      <div class="map-frame">
        <Chart
          class="map-canvas"
          label={`A map of ${count(shown)} ${items}. The lists below have the ${items} at its ends`}
          option={option}
          onReady={setChart}
        />
      </div>
      <div class="map-under">
        {genres.length > 0 && (
          <fieldset class="legend" aria-label="Genres shown">
            {[...genres, OTHER].map((genre, at) => (
              <button
                key={genre}
                type="button"
                aria-pressed={!hidden.has(genre)}
                style={{ '--colour': palette.genres[at] ?? palette.other }}
                onClick={() => toggle(genre)}
              >
                {genre}
              </button>
            ))}
          </fieldset>
        )}
        <fieldset class="zoom" aria-label="Zoom">
          <button type="button" aria-label="Zoom in" onClick={zoom(0.6)}>
            +
          </button>
          <button type="button" aria-label="Zoom out" onClick={zoom(1 / 0.6)}>
            −
          </button>
          <button type="button" aria-label="Show the whole map" onClick={() => chart && showAll(chart)}>
            <Icon path="M2.5 6v-3.5H6M10 2.5h3.5V6M13.5 10v3.5H10M6 13.5H2.5V10" />
          </button>
        </fieldset>
      </div>
      <p class="hidden-label" aria-live="polite">
        {highlighted && `${highlighted.title} is marked on the map.`}
      </p>
    </div>
  );
}

/** Names items anew whenever another part of the map is seen, or other items. */
function useNames(chart: EChartsType | undefined, drawing: Drawing): void {
  const named = useRef<string>(undefined);
  useLayoutEffect(() => {
    named.current = undefined;
    const name = (): void => {
      const { dataZoom } = chart?.getOption() ?? {};
      if (!chart || !Array.isArray(dataZoom) || dataZoom.length === 0) return;
      const seen = JSON.stringify([
        chart.getWidth(),
        chart.getHeight(),
        dataZoom.map(({ start, end }) => [start, end]),
      ]);
      if (seen === named.current) return;
      named.current = seen;
      nameItems(chart, drawing);
    };
    name();
    chart?.on('rendered', name);
    return () => {
      chart?.off('rendered', name);
    };
  }, [chart, drawing]);
}
