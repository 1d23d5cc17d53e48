import { capital, count, plural } from '../../util/format.ts';
import { pluralOf } from '../../util/nouns.ts';
import type { Manifest } from '../../web.ts';
import type { Route } from '../routes.ts';

export type Kind = Manifest['data']['kind'];

interface Head {
  readonly title: string;
  readonly lead: string;
}

/** What the page says of a model of ratings, or of interactions. */
export interface Words {
  readonly heads: Readonly<Record<Route, Head>>;
  /** The head of the map's view, of a model without a map. */
  readonly withoutMap: Head;
  readonly noMap: string;
  /** The words for items. */
  readonly item: string;
  readonly items: string;
  /** How many people rated, or have, an item. */
  known(people: number): string;
  /** The same as the name of a column. */
  readonly knownBy: string;
  /** Which items a list has. */
  listed(least: number): string;
  readonly searchFor: string;
  readonly start: string;
  readonly own: string;
  remove(title: string): string;
  aside(items: number): string;
  readonly because: string;
  readonly unexplained: string;
  readonly popular: string;
  readonly popularLeft: string;
  readonly alike: string;
  /** The same of a model of weights. */
  readonly together: string;
  readonly ends: string;
  /** Columns that a file may have beside users and items. */
  readonly columns: string;
}

const TRAIN = 'Training runs in this page, and takes seconds to minutes.';

/**
 * The words of a page about a model.
 *
 * @param noun what an item is called, such as `film`
 */
export function wordsOf(kind: Kind, noun = 'item'): Words {
  const item = { item: noun, items: pluralOf(noun), an: `${/^[aeiou]/.test(noun) ? 'an' : 'a'} ${noun}` };
  return kind === 'ratings' ? ofRatings(item) : ofInteractions(item);
}

/** The word for items. */
interface ItemWords extends Pick<Words, 'item' | 'items'> {
  /** With its article. */
  readonly an: string;
}

const noMap = ({ an, items }: ItemWords): string =>
  `There is no map: this model has weights from each of the ${items} to others, and no factors that would place them on one. “Like this”, beside a recommendation, shows the largest weights of ${an}.`;

function ofRatings(words: ItemWords): Words {
  const { item, items, an } = words;
  return {
    item,
    items,
    heads: {
      recommend: {
        title: `Rate a few ${items}, see what you would like`,
        lead: 'A small model in this page was trained on other people’s ratings. It learns your taste from your first rating on, in your browser.',
      },
      map: {
        title: 'A map of what the model has learned',
        lead: `${capital(items)} that the same people like are near each other. The model knows nothing but ratings.`,
      },
      train: {
        title: 'Train a model on your own data',
        lead: `Any list of which people rated, bought or played what works: films, books, recipes, songs. ${TRAIN}`,
      },
    },
    withoutMap: {
      title: 'What the model has learned',
      lead: `Which ${items} the same people like. The model knows nothing but ratings.`,
    },
    noMap: noMap(words),
    known: (people) => plural(people, 'rating'),
    knownBy: 'Ratings',
    listed: (least) => `Only ${items} with at least ${plural(least, 'rating')} are listed.`,
    searchFor: `Find ${an} that you know`,
    start: `Rate one ${item}, and ten recommendations appear here.`,
    own: 'Your ratings',
    remove: (title) => `Remove your rating of ${title}`,
    aside: (number) =>
      `${plural(number, 'rating')} not used: this model does not know the ${number === 1 ? item : items}.`,
    because: 'Because you rated',
    unexplained: 'Many people like it. No single one of your ratings explains it.',
    popular: `These ${items} have the most ratings.`,
    popularLeft: `what you have not rated of the ${items} with the most ratings.`,
    alike: `Below it are ${items} that people rate in a similar way.`,
    together: `Below it are ${items} that people like together with it. The weight is what liking it adds to their scores.`,
    ends: `People who like one ${item} of a list tend to like the others, and tend not to like those at the opposite end.`,
    columns: 'a rating or a count',
  };
}

function ofInteractions(words: ItemWords): Words {
  const { item, items, an } = words;
  return {
    item,
    items,
    heads: {
      recommend: {
        title: `Choose a few ${items} that you have, see what you would like`,
        lead: 'A small model in this page was trained on what other people have. It learns your taste from your first choice on, in your browser.',
      },
      map: {
        title: 'A map of what the model has learned',
        lead: `${capital(items)} that the same people have are near each other. The model knows nothing but who has what.`,
      },
      train: {
        title: 'Train a model on your own data',
        lead: `Any list of which people have what works: groceries, books, songs, games. ${TRAIN}`,
      },
    },
    withoutMap: {
      title: 'What the model has learned',
      lead: `Which ${items} the same people have. The model knows nothing but who has what.`,
    },
    noMap: noMap(words),
    known: (people) => `${count(people)} ${people === 1 ? 'person has' : 'people have'} it`,
    knownBy: 'People',
    listed: (least) =>
      `Only ${items} that at least ${least === 1 ? 'one person has' : `${count(least)} people have`} are listed.`,
    searchFor: `Find ${an} that you have`,
    start: `Choose one ${item} that you have, and ten recommendations appear here.`,
    own: 'What you have',
    remove: (title) => `Remove ${title}`,
    aside: (number) =>
      `${count(number)} ${number === 1 ? item : items} not used: this model does not know ${number === 1 ? 'it' : 'them'}.`,
    because: 'Because you have',
    unexplained: 'Many people have it. Nothing that you have explains it alone.',
    popular: `These are the ${items} that the most people have.`,
    popularLeft: `what you do not have of the ${items} that the most people have.`,
    alike: `Below it are ${items} that the same people have.`,
    together: `Below it are ${items} that people have together with it. The weight is what having it adds to their scores.`,
    ends: `People who have one ${item} of a list tend to have the others, and tend not to have those at the opposite end.`,
    columns: 'a count',
  };
}

/** Headings while it is not known what the model was trained on. */
export const HEADS: Words['heads'] = {
  ...wordsOf('ratings').heads,
  recommend: {
    title: 'See what you would like',
    lead: 'A small model in this page learns your taste from your first choice on, in your browser.',
  },
  map: { title: wordsOf('ratings').heads.map.title, lead: 'What the same people like is near each other.' },
};
