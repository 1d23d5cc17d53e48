import { readVocabulary } from '../artifact/vocabulary.ts';
import { UserError } from '../errors.ts';
import type { Recommender } from '../recommend/recommender.ts';
import { plural } from '../util/format.ts';
import { quoted } from '../util/text.ts';
import { readableTitle, withoutArticle } from '../util/titles.ts';
import { printNote } from './output.ts';

/** An item as a list of matches shows it. */
interface Named {
  readonly id: string;
  readonly title: string;
}

/** What a text may mean, where it is no id that the model knows. */
interface Found {
  /** Items whose title fits. */
  readonly fitting: readonly Named[];
  /** Items whose title is like it, where none fits. */
  readonly close: readonly Named[];
}

const MOST_LISTED = 20;
const MOST_CLOSE = 3;

/** Lower case, without accents and punctuation, one space between words: "Amélie!" is found as "amelie". */
const plain = (text: string): string =>
  text
    .normalize('NFD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/['’]/g, '')
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim();

/**
 * Finds items by what people call them: by id, else by title. A title fits if it is the text, with or without its year and its
 * article (`The Matrix`, `Matrix, The`); if there is none, if the text begins at a word of it.
 */
export class ItemNames {
  private readonly ids: ReadonlySet<string>;
  private readonly forms: readonly { readonly item: Named; readonly forms: readonly string[] }[];

  constructor({ artifact, titles, items }: Recommender) {
    this.ids = new Set(items.length > 0 ? items.map(({ item }) => item) : readVocabulary(artifact).itemIds);
    const counts = new Map(items.map(({ item, count }) => [item, count]));
    // The best known first.
    this.forms = [...titles]
      .sort(([one], [other]) => (counts.get(other) ?? 0) - (counts.get(one) ?? 0))
      .map(([id, title]) => {
        const { name, title: readable } = readableTitle(title);
        return { item: { id, title }, forms: [title, readable, name, withoutArticle(name)].map(plain) };
      });
  }

  /**
   * The ids that texts mean. A text that means none stays as it is.
   *
   * @throws UserError if several titles fit a text; they are printed
   */
  idsOf(texts: readonly string[]): string[] {
    const meant = new Map([...new Set(texts)].map((text) => [text, this.meantBy(text)]));
    const byTitle = [...meant.values()].filter((item) => item !== undefined);
    if (byTitle.length > 0) printNote(`By title: ${inWords(byTitle.slice(0, MOST_LISTED))}`);
    return texts.map((text) => meant.get(text)?.id ?? text);
  }

  isKnown(id: string): boolean {
    return this.ids.has(id);
  }

  /** Says which titles are like texts that mean no item. */
  noteLike(texts: readonly string[]): void {
    for (const text of texts.slice(0, MOST_CLOSE)) {
      const { close } = this.find(text);
      if (close.length > 0) printNote(`Titles like ${quoted(text)}: ${inWords(close)}`);
    }
  }

  /** The item whose title a text is. @throws UserError if several fit; they are printed */
  private meantBy(text: string): Named | undefined {
    if (this.ids.has(text)) return undefined;
    const { fitting } = this.find(text);
    if (fitting.length <= 1) return fitting[0];
    for (const { id, title } of fitting.slice(0, MOST_LISTED)) printNote(`  ${id}  ${title}`);
    const more = fitting.length - MOST_LISTED;
    throw new UserError(
      'argument',
      `${quoted(text)}: ${plural(fitting.length, 'title')} fit${more > 0 ? `, of which the ${MOST_LISTED} best known are above` : ''}; give the id of one, or its whole title with the year`,
    );
  }

  private find(text: string): Found {
    const wanted = plain(text);
    if (wanted === '') return { fitting: [], close: [] };
    const where = (fits: (form: string) => boolean): Named[] =>
      this.forms.filter(({ forms }) => forms.some(fits)).map(({ item }) => item);
    const exact = where((form) => form === wanted);
    if (exact.length > 0) return { fitting: exact, close: [] };
    // A number in the middle of a title is rather an id that the model does not know.
    const within = /^[\d ]+$/.test(wanted) ? [] : where((form) => ` ${form}`.includes(` ${wanted}`));
    if (within.length > 0) return { fitting: within, close: [] };
    return { fitting: [], close: this.closeTo(wanted) };
  }

  private closeTo(wanted: string): Named[] {
    const own = pairsIn(wanted);
    return this.forms
      .map(({ item, forms }) => ({
        item,
        share: Math.max(...forms.map((form) => alike(own, pairsIn(form)))),
      }))
      .filter(({ share }) => share >= 0.5)
      .sort((one, other) => other.share - one.share)
      .slice(0, MOST_CLOSE)
      .map(({ item }) => item);
  }
}

const inWords = (items: readonly Named[]): string =>
  items.map(({ id, title }) => `${id} ${quoted(title)}`).join(', ');

/** The pairs of neighbouring characters in a text. */
const pairsIn = (text: string): ReadonlySet<string> =>
  new Set(Array.from({ length: Math.max(0, text.length - 1) }, (_, at) => text.slice(at, at + 2)));

/** How many pairs two texts share: 1 if all, 0 if none (Dice). */
function alike(one: ReadonlySet<string>, other: ReadonlySet<string>): number {
  let shared = 0;
  for (const pair of one) if (other.has(pair)) shared++;
  return (2 * shared) / Math.max(1, one.size + other.size);
}
