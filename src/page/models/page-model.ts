import { builtIn, isSolved } from '../../../graphs/models/index.ts';
import { accessOf } from '../../artifact/manifest.ts';
import { wellKnownOf } from '../../util/item-map.ts';
import { readableTitle } from '../../util/titles.ts';
import type { Item, Manifest, Recommender } from '../../web.ts';
import { type Kind, type Words, wordsOf } from './words.ts';

/** What the page shows of an item. */
export interface PageItem {
  readonly id: string;
  /** Title with the year, if it has one. */
  readonly title: string;
  readonly name: string;
  readonly year?: string;
  readonly genres: readonly string[];
  /** Number of ratings, or of people who have it. */
  readonly count: number;
  /** The mean rating; absent where there are no ratings. */
  readonly average?: number;
}

export function modelName({ model: { name } }: Manifest): string {
  const title = builtIn(name)?.title;
  return title ? `model “${title}”` : `model ${name}`;
}

export class PageModel {
  /** The items, the best known first. */
  readonly items: readonly PageItem[];
  readonly words: Words;
  private readonly byId: ReadonlyMap<string, PageItem>;

  /**
   * @param more loads a recommender with a head that was not downloaded at first
   * @param source file that the visitor trained the model on. Default: it is the page's model
   */
  constructor(
    readonly recommender: Recommender,
    private readonly more: (head: string) => Promise<Recommender> = async () => recommender,
    readonly source?: string,
  ) {
    const { titles, items } = recommender;
    const facts: readonly Item[] =
      items.length > 0 ? items : [...titles.keys()].map((item) => ({ item, count: 0 }));
    this.items = facts
      .map(({ item: id, count, average, genres = [] }) => {
        return { id, ...readableTitle(titles.get(id) ?? id), genres, count, average };
      })
      .sort((a, b) => b.count - a.count);
    this.byId = new Map(this.items.map((item) => [item.id, item]));
    const dated = this.items.filter(({ year }) => year !== undefined).length;
    // Films, books and the like have a year in their titles.
    const noun = this.manifest.data.noun ?? (dated > this.items.length / 2 ? 'title' : 'item');
    this.words = wordsOf(this.kind, noun);
  }

  get manifest(): Manifest {
    return this.recommender.artifact.manifest;
  }

  get kind(): Kind {
    return this.recommender.kind;
  }

  /** Whether the model has weights between items, not factors. */
  get byWeights(): boolean {
    return isSolved(this.manifest.model.name);
  }

  /** The heads of the views. */
  get heads(): Words['heads'] {
    const { heads, withoutMap } = this.words;
    return this.byWeights ? { ...heads, map: withoutMap } : heads;
  }

  /** Whether the page has a head, such as `fold-in`, or can fetch it: it fetches nothing about users. */
  can(head: string): boolean {
    const name = `${head}.onnx`;
    const listed = this.manifest.files[name];
    return (
      listed !== undefined && (name in this.recommender.artifact.files || accessOf(name, listed) === 'public')
    );
  }

  /** A recommender with a head, which is downloaded if needed. */
  with(head: string): Promise<Recommender> {
    return this.recommender.heads.includes(head) ? Promise.resolve(this.recommender) : this.more(head);
  }

  has(id: string): boolean {
    return this.items.length === 0 || this.byId.has(id);
  }

  item(id: string): PageItem {
    return this.byId.get(id) ?? { id, title: id, name: id, genres: [], count: 0 };
  }

  /** The count from which an item's factors are more than noise. */
  get enoughCount(): number {
    return wellKnownOf(this.items).least;
  }

  wellKnown(): readonly PageItem[] {
    return wellKnownOf(this.items).items;
  }
}
