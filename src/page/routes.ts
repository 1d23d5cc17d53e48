import { useEffect, useState } from 'preact/hooks';

/** The views of the page, as in the navigation. */
export const VIEWS = {
  recommend: {
    name: 'Recommend',
    icon: 'm12 3.5 2.6 5.4 5.9.8-4.3 4.1 1.1 5.9-5.3-2.9-5.3 2.9 1.1-5.9-4.3-4.1 5.9-.8z',
  },
  map: {
    name: 'Map',
    icon: 'M4 4v16h16M9 15.5v.01M12 9.5v.01M16 12.5v.01M17.5 6.5v.01',
  },
  train: {
    name: 'Train',
    icon: 'M4 5c3 9 6 12 16 13M4 20h16',
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
