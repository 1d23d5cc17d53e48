import { useEffect, useState } from 'preact/hooks';

export const ROUTES = ['recommend', 'map', 'train'] as const;

export type Route = (typeof ROUTES)[number];

export const NAMES: Readonly<Record<Route, string>> = { recommend: 'Recommend', map: 'Map', train: 'Train' };

export const addressOf = (route: Route): string => `#/${route}`;

const here = (): Route => ROUTES.find((route) => addressOf(route) === location.hash) ?? 'recommend';

/** The view that the address names, so that links and Back work. */
export function useRoute(): Route {
  const [route, setRoute] = useState(here);
  useEffect(() => {
    const follow = (): void => setRoute(here());
    addEventListener('hashchange', follow);
    return () => removeEventListener('hashchange', follow);
  }, []);
  return route;
}
