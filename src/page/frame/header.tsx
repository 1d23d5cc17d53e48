import { addressOf, NAMES, ROUTES, type Route } from '../routes.ts';

interface Props {
  readonly route: Route;
  readonly dark: boolean;
  toggle(): void;
}

const ICONS: Readonly<Record<Route, string>> = {
  recommend: 'm12 3.5 2.6 5.4 5.9.8-4.3 4.1 1.1 5.9-5.3-2.9-5.3 2.9 1.1-5.9-4.3-4.1 5.9-.8z',
  map: 'M4 4v16h16M9 15.5v.01M12 9.5v.01M16 12.5v.01M17.5 6.5v.01',
  train: 'M4 5c3 9 6 12 16 13M4 20h16',
};

export function Header({ route, dark, toggle }: Props) {
  return (
    <header class="top">
      <a class="brand" href={addressOf('recommend')} aria-label="cofactor, first view">
        <svg viewBox="0 0 24 24" aria-hidden="true">
          <circle cx="8" cy="8" r="4" />
          <circle cx="16.5" cy="16.5" r="4" />
          <circle class="faint" cx="16.5" cy="8" r="2.5" />
          <circle class="faint" cx="8" cy="16.5" r="2.5" />
        </svg>
        cofactor
      </a>
      <nav aria-label="Views">
        {ROUTES.map((view) => (
          <a key={view} href={addressOf(view)} aria-current={view === route ? 'page' : undefined}>
            <svg viewBox="0 0 24 24" aria-hidden="true">
              <path d={ICONS[view]} />
            </svg>
            {NAMES[view]}
          </a>
        ))}
      </nav>
      <button
        type="button"
        class="icon scheme"
        aria-label="Dark colours"
        aria-pressed={dark}
        onClick={toggle}
      >
        <svg viewBox="0 0 24 24" aria-hidden="true">
          {dark ? (
            <path d="M12 4V2m0 20v-2m8-8h2M2 12h2m13.7-5.7 1.4-1.4M4.9 19.1l1.4-1.4m11.4 0 1.4 1.4M4.9 4.9l1.4 1.4M16 12a4 4 0 1 1-8 0 4 4 0 0 1 8 0Z" />
          ) : (
            <path d="M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5Z" />
          )}
        </svg>
      </button>
    </header>
  );
}
