import type { Route } from '../routes.ts';

/** What each view says of itself. */
export const VIEWS: Readonly<Record<Route, { readonly title: string; readonly lead: string }>> = {
  recommend: {
    title: 'Rate a few titles, see what you would like',
    lead: 'A small model in this page has learned taste from other people’s ratings. It learns yours from the first star on, in your browser.',
  },
  map: {
    title: 'A map of what the model has learned',
    lead: 'Titles that the same people like lie near each other. The model was told nothing about them but ratings: no genres, no casts, no plots.',
  },
  train: {
    title: 'Train a model on your own ratings',
    lead: 'Any list of who rated what will do: films, books, recipes, games. Training runs here, and takes seconds to minutes.',
  },
};
