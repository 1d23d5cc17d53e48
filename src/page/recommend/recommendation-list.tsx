import { decimal } from '../../util/format.ts';
import type { PageItem, PageModel } from '../models/page-model.ts';
import type { Scale } from '../models/scale.ts';
import { Genre, Icon, ItemName, Problem } from '../parts.tsx';
import type { OwnItem } from './use-own-items.ts';
import type { Recommendation, Recommendations } from './use-recommendations.ts';

interface Props {
  readonly model: PageModel;
  readonly scale: Scale;
  readonly shown: Recommendations;
  onSimilar(item: PageItem): void;
}

export function RecommendationList({ model, scale, shown, onSimilar }: Props) {
  const { list, milliseconds, error, waiting } = shown;
  return (
    <section aria-labelledby="recommended-heading" class="recommended">
      <div class="section-head">
        <h2 id="recommended-heading" tabIndex={-1}>
          Recommended for you
        </h2>
      </div>
      {list.length > 0 && <p class="note order">{orderOf(model, scale)}</p>}
      {error !== undefined && <Problem>No recommendations: {error}.</Problem>}
      {!model.can('fold-in') && (
        <p class="notice">
          This model cannot recommend to people who are not in its data. The map still shows what it has
          learned.
        </p>
      )}
      {list.length > 0 && (
        <ol class="recommendations" aria-labelledby="recommended-heading">
          {list.map((one, at) => (
            <RecommendationRow key={one.item} {...{ model, scale, one, onSimilar }} rank={at + 1} />
          ))}
        </ol>
      )}
      {list.length === 0 && model.can('fold-in') && <Skeleton waiting={waiting} start={model.words.start} />}
      {milliseconds !== undefined && (
        <p class="note timing">
          Computed in your browser in {Math.max(1, Math.round(milliseconds))} ms. Nothing was sent anywhere.
        </p>
      )}
    </section>
  );
}

/** What the order and the ratings of a list mean. */
const orderOf = ({ recommender: { objective } }: PageModel, { stars }: Scale): string =>
  ({
    both: `The likeliest to please you first. ${stars ? 'Stars' : 'Numbers'}: what you would give.`,
    ranking: 'The likeliest to please you first.',
    rating: `What you would give the ${stars ? 'most stars' : 'highest numbers'} first.`,
  })[objective];

interface RowProps extends Omit<Props, 'shown'> {
  readonly one: Recommendation;
  readonly rank: number;
}

function RecommendationRow({ model, scale, one, rank, onSimilar }: RowProps) {
  const item = model.item(one.item);
  return (
    <li class="recommendation" data-rated={one.rating !== undefined}>
      <span class="rank" aria-hidden="true">
        {rank}
      </span>
      <div class="what">
        <p class="recommended-title">
          <ItemName item={item} />
        </p>
        <Genre item={item} />
      </div>
      {one.rating !== undefined && (
        <p class="predicted">
          <span class="hidden-label">predicted rating </span>
          {decimal(one.rating, 1)}
          {scale.stars ? (
            <Icon class="star" size={24} path={STAR} />
          ) : (
            <span class="of"> of {scale.high}</span>
          )}
        </p>
      )}
      {model.can('similar') && (
        <button
          type="button"
          class="quiet similar-button"
          aria-label={`Like this: ${item.title}`}
          onClick={() => onSimilar(item)}
        >
          Like this
        </button>
      )}
      <p class="why">
        <Why {...{ model, scale }} reasons={one.reasons} />
      </p>
    </li>
  );
}

interface WhyProps extends Pick<Props, 'model' | 'scale'> {
  readonly reasons: readonly OwnItem[];
}

function Why({ model, scale, reasons }: WhyProps) {
  if (reasons.length === 0) return <>{model.words.unexplained}</>;
  return (
    <>
      {model.words.because}{' '}
      {reasons.map(({ item, rating }, at) => (
        <>
          {at > 0 && ' and '}
          <b>{model.item(item).name}</b>
          {rating !== undefined && (scale.stars ? ` ★\u00a0${rating}` : ` ${rating}`)}
        </>
      ))}
    </>
  );
}

const STAR = 'm12 2.5 2.9 6.1 6.6.9-4.8 4.6 1.2 6.6-5.9-3.2-5.9 3.2 1.2-6.6L2.5 9.5l6.6-.9z';

/** Placeholders for ten recommendations. */
function Skeleton({ waiting, start }: { readonly waiting: boolean; readonly start: string }) {
  return (
    <div class="empty" data-waiting={waiting}>
      <p>{waiting ? 'Computing the first ones…' : start}</p>
      <div aria-hidden="true">
        {[72, 58, 80, 64, 50].map((width) => (
          <div key={width} class="ghost">
            <span style={{ width: `${width}%` }} />
            <span />
          </div>
        ))}
      </div>
    </div>
  );
}
