/** A rating as it is kept between visits. */
export interface KeptRating {
  readonly item: string;
  readonly rating: number;
  readonly title: string;
}

const KEY = 'cofactor.ratings';

export function keptRatings(): KeptRating[] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(KEY) ?? '[]');
    return Array.isArray(kept) ? kept.filter(isKept) : [];
  } catch {
    return [];
  }
}

export function keepRatings(ratings: readonly KeptRating[]): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(ratings));
  } catch {
    // Where nothing may be kept, ratings hold until the page is closed.
  }
}

function isKept(one: unknown): one is KeptRating {
  const { item, rating, title } = Object(one);
  return typeof item === 'string' && Number.isFinite(rating) && typeof title === 'string';
}
