import type { EChartsType } from 'echarts/core';
import { useMemo, useRef, useState } from 'preact/hooks';
import { DARK, LIGHT } from '../../style/palette.ts';
import { count } from '../../util/format.ts';
import type { ItemMap } from '../../util/item-map.ts';
import { Chart } from '../chart.tsx';
import { commonGenres, OTHER } from '../genres.ts';
import type { PageItem, PageModel } from '../models/page-model.ts';
import { Icon } from '../parts.tsx';
import { TitleSearch } from '../recommend/title-search.tsx';
import { mapOption } from './map-option.ts';
import { showAll, zoomBy, zoomTo } from './zoom.ts';

interface Props {
  readonly model: PageModel;
  readonly map: ItemMap<PageItem>;
  readonly dark: boolean;
}

const SIZES = [500, 2000];

export function MapChart({ model, map, dark }: Props) {
  const chart = useRef<EChartsType>(undefined);
  const { items } = model.words;
  const all = map.points.length;
  const sizes = [...SIZES.filter((size) => size < all), all];
  const [shown, setShown] = useState(sizes[0]);
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const [highlighted, setHighlighted] = useState<PageItem>();
  const genres = useMemo(() => commonGenres(model.items), [model]);
  const palette = dark ? DARK : LIGHT;
  const option = useMemo(
    () => mapOption({ map, words: model.words, shown, genres, hidden, highlighted, palette }),
    [map, shown, genres, hidden, highlighted, palette],
  );

  const toggle = (genre: string): void => {
    const next = new Set(hidden);
    if (!next.delete(genre)) next.add(genre);
    setHidden(next);
  };

  const find = (item: PageItem): void => {
    const index = map.points.findIndex((one) => one.item === item);
    if (index >= shown) setShown(sizes.find((size) => size > index) ?? all);
    setHighlighted(item);
    // After the chart has drawn it.
    setTimeout(() => {
      if (chart.current) zoomTo(chart.current, map.points[index].at);
    }, 50);
  };

  const zoom = (factor: number) => (): void => {
    if (chart.current) zoomBy(chart.current, factor);
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
          onReady={(ready) => {
            chart.current = ready;
          }}
        />
        <fieldset class="zoom" aria-label="Zoom">
          <button type="button" aria-label="Zoom in" onClick={zoom(0.6)}>
            +
          </button>
          <button type="button" aria-label="Zoom out" onClick={zoom(1 / 0.6)}>
            −
          </button>
          <button
            type="button"
            aria-label="Show the whole map"
            onClick={() => chart.current && showAll(chart.current)}
          >
            <Icon path="M2.5 6v-3.5H6M10 2.5h3.5V6M13.5 10v3.5H10M6 13.5H2.5V10" />
          </button>
        </fieldset>
      </div>
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
      <p class="hidden-label" aria-live="polite">
        {highlighted && `${highlighted.title} is marked on the map.`}
      </p>
    </div>
  );
}
