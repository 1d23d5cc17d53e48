import { useEffect, useState } from 'preact/hooks';

/** The views of the page: their names in the navigation, and their headings. */
export const VIEWS = {
  recommend: {
    name: 'Recommend',
    icon: 'm12 3.5 2.6 5.4 5.9.8-4.3 4.1 1.1 5.9-5.3-2.9-5.3 2.9 1.1-5.9-4.3-4.1 5.9-.8z',
    title: 'Rate a few titles, see what you would like',
    lead: 'A small model in this page was trained on other people’s ratings. It learns your taste from your first rating on, in your browser.',
  },
  map: {
    name: 'Map',
    icon: 'M4 4v16h16M9 15.5v.01M12 9.5v.01M16 12.5v.01M17.5 6.5v.01',
    title: 'A map of what the model has learned',
    lead: 'Titles that the same people like are near each other. The model knows nothing but ratings.',
  },
  train: {
    name: 'Train',
    icon: 'M4 5c3 9 6 12 16 13M4 20h16',
    title: 'Train a model on your own ratings',
    lead: 'Any list of which people rated which titles works: films, books, recipes, games. Training runs in this page, and takes seconds to minutes.',
  },
} as const;

export type Route = keyof typeof VIEWS;

export const ROUTES = Object.keys(VIEWS) as Route[];

export const addressOf = (route: Route): string => `#/${route}`;

const here = (): Route => ROUTES.find((route) => addressOf(route) === location.hash) ?? 'recommend';

/** The view in the address, so that links and the Back button work. */
export function useRoute(): Route {
  const [route, setRoute] = useState(here);
  useEffect(() => {
    const follow = (): void => setRoute(here());
    addEventListener('hashchange', follow);
    return () => removeEventListener('hashchange', follow);
  }, []);
  return route;
}
