import type { ComponentChildren } from 'preact';
import type { PageItem } from './models/page-model.ts';

interface IconProps {
  readonly path: string;
  /** Side length of the square that contains the path. */
  readonly size?: number;
  readonly class?: string;
}

export const Icon = ({ path, size = 16, class: name }: IconProps) => (
  <svg class={name} viewBox={`0 0 ${size} ${size}`} aria-hidden="true">
    <path d={path} />
  </svg>
);

/** A button with a cross, to close or remove something. */
export const CrossButton = ({ label, onClick }: { readonly label: string; onClick(): void }) => (
  <button type="button" class="icon" aria-label={label} onClick={onClick}>
    <Icon path="m4 4 8 8m0-8-8 8" />
  </button>
);

export const Problem = ({ children }: { readonly children: ComponentChildren }) => (
  <p class="notice error" role="alert">
    {children}
  </p>
);

/** The header of a table. All columns except the first have numbers. */
export const Columns = ({ names }: { readonly names: readonly ComponentChildren[] }) => (
  <thead>
    <tr>
      {names.map((name, at) => (
        <th key={at} scope="col" class={at > 0 ? 'number' : undefined}>
          {name}
        </th>
      ))}
    </tr>
  </thead>
);

/** A title, with a fainter year. */
export const ItemName = ({ item }: { readonly item: PageItem }) => (
  <span class="item-name">
    {item.name}
    {item.year && <span class="year"> {item.year}</span>}
  </span>
);

/** The first two genres of an item, if there are any. */
export const Genre = ({ item: { genres } }: { readonly item: PageItem }) =>
  genres.length === 0 ? null : <p class="genre">{genres.slice(0, 2).join(' · ')}</p>;
