import { count, plural } from '../../util/format.ts';
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

export const WORDS: Readonly<Record<Kind, Words>> = {
  ratings: {
    heads: {
      recommend: {
        title: 'Rate a few titles, see what you would like',
        lead: 'A small model in this page was trained on other people’s ratings. It learns your taste from your first rating on, in your browser.',
      },
      map: {
        title: 'A map of what the model has learned',
        lead: 'Titles that the same people like are near each other. The model knows nothing but ratings.',
      },
      train: {
        title: 'Train a model on your own data',
        lead: `Any list of which people rated, bought or played what works: films, books, recipes, songs. ${TRAIN}`,
      },
    },
    withoutMap: {
      title: 'What the model has learned',
      lead: 'Which titles the same people like. The model knows nothing but ratings.',
    },
    noMap:
      'There is no map: this model has weights from each title to others, and no factors that would place titles on one. “Like this”, beside a recommendation, shows the largest weights of a title.',
    item: 'title',
    items: 'titles',
    known: (people) => plural(people, 'rating'),
    knownBy: 'Ratings',
    listed: (least) => `Only titles with at least ${plural(least, 'rating')} are listed.`,
    searchFor: 'Find a title that you know',
    start: 'Rate one title, and ten recommendations appear here.',
    own: 'Your ratings',
    remove: (title) => `Remove your rating of ${title}`,
    aside: (items) =>
      `${plural(items, 'rating')} not used: this model does not know the title${items === 1 ? '' : 's'}.`,
    because: 'Because you rated',
    unexplained: 'Many people like it. No single one of your ratings explains it.',
    popular: 'These titles have the most ratings.',
    popularLeft: 'what you have not rated of the titles with the most ratings.',
    alike: 'Below it are titles that people rate in a similar way.',
    together:
      'Below it are titles that people like together with it. The weight is what liking it adds to their scores.',
    ends: 'People who like one title of a list tend to like the others, and tend not to like those at the opposite end.',
    columns: 'a rating or a count',
  },
  interactions: {
    heads: {
      recommend: {
        title: 'Choose a few items that you have, see what you would like',
        lead: 'A small model in this page was trained on what other people have. It learns your taste from your first choice on, in your browser.',
      },
      map: {
        title: 'A map of what the model has learned',
        lead: 'Items that the same people have are near each other. The model knows nothing but who has what.',
      },
      train: {
        title: 'Train a model on your own data',
        lead: `Any list of which people have what works: groceries, books, songs, games. ${TRAIN}`,
      },
    },
    withoutMap: {
      title: 'What the model has learned',
      lead: 'Which items the same people have. The model knows nothing but who has what.',
    },
    noMap:
      'There is no map: this model has weights from each item to others, and no factors that would place items on one. “Like this”, beside a recommendation, shows the largest weights of an item.',
    item: 'item',
    items: 'items',
    known: (people) => `${count(people)} ${people === 1 ? 'person has' : 'people have'} it`,
    knownBy: 'People',
    listed: (least) =>
      `Only items that at least ${least === 1 ? 'one person has' : `${count(least)} people have`} are listed.`,
    searchFor: 'Find an item that you have',
    start: 'Choose one item that you have, and ten recommendations appear here.',
    own: 'What you have',
    remove: (title) => `Remove ${title}`,
    aside: (items) =>
      `${plural(items, 'item')} not used: this model does not know ${items === 1 ? 'it' : 'them'}.`,
    because: 'Because you have',
    unexplained: 'Many people have it. Nothing that you have explains it alone.',
    popular: 'These are the items that the most people have.',
    popularLeft: 'what you do not have of the items that the most people have.',
    alike: 'Below it are items that the same people have.',
    together:
      'Below it are items that people have together with it. The weight is what having it adds to their scores.',
    ends: 'People who have one item of a list tend to have the others, and tend not to have those at the opposite end.',
    columns: 'a count',
  },
};

/** Headings while it is not known what the model was trained on. */
export const HEADS: Words['heads'] = {
  ...WORDS.ratings.heads,
  recommend: {
    title: 'See what you would like',
    lead: 'A small model in this page learns your taste from your first choice on, in your browser.',
  },
  map: { title: WORDS.ratings.heads.map.title, lead: 'What the same people like is near each other.' },
};
