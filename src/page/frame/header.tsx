import { Icon } from '../parts.tsx';
import { addressOf, ROUTES, type Route, VIEWS } from '../routes.ts';

interface Props {
  readonly route: Route;
  readonly dark: boolean;
  toggle(): void;
}

const SUN =
  'M12 4V2m0 20v-2m8-8h2M2 12h2m13.7-5.7 1.4-1.4M4.9 19.1l1.4-1.4m11.4 0 1.4 1.4M4.9 4.9l1.4 1.4M16 12a4 4 0 1 1-8 0 4 4 0 0 1 8 0Z';
const MOON = 'M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5Z';

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
            <Icon size={24} path={VIEWS[view].icon} />
            {VIEWS[view].name}
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
        <Icon size={24} path={dark ? SUN : MOON} />
      </button>
    </header>
  );
}
