import { type Article, articles, CATEGORIES } from './catalogue.ts';
import { type Chance, chance, harmony, type Leaning, leaning } from './chance.ts';

/** What customers with a taste buy: how often from each category. */
const TASTES: readonly Readonly<Record<string, number>>[] = [
  { Tea: 6, Teaware: 2, Biscuits: 2 },
  { Coffee: 6, Coffeeware: 2, Chocolate: 2 },
  { Chocolate: 5, Biscuits: 3, Coffee: 1 },
  { Baking: 7, Chocolate: 1, Spices: 1 },
  { 'Italian food': 7, Coffee: 1, Spices: 1 },
  { Spices: 7, 'Italian food': 1, Tea: 1 },
  { Garden: 8, Bath: 1 },
  { Stationery: 8, Tea: 1 },
  { Bath: 7, Stationery: 1, Biscuits: 1 },
];

const CUSTOMERS = 480;
const FIRST_DAY = Date.UTC(2024, 0, 2);
const DAYS = 720;
const DAY = 86_400_000;
/** From this day on everything costs more. */
const DEARER = 400;
const MOST_ORDERS = 40;
/** How often a line is something bought before, something outside the customer's tastes, and how often it is returned. */
const AGAIN = 0.4;
const OTHERWISE = 0.12;
const RETURNED = 0.025;
/** Of what is bought again. */
const QUANTITIES = [1, 1, 1, 2, 2, 2, 3, 4, 6];

interface Line {
  readonly article: Article;
  readonly quantity: number;
}

interface Order {
  readonly customer: string;
  readonly day: number;
  readonly lines: readonly Line[];
}

/**
 * The tables of a shop that does not exist, as programs in Europe export them: `;` between the fields, decimal commas.
 * Customers have one to three tastes, and leanings in each category. They buy again what they like, and send some things back,
 * which are orders with negative quantities.
 */
export function shop(seed = 1): { readonly orders: string; readonly articles: string } {
  const draw = chance(seed, -3);
  const leanings = new Map(articles.map(({ sort }) => [sort, leaning(draw)]));
  const popularity = new Map(
    draw.shuffled(articles).map((article, rank) => [article, (rank + 8) ** -0.7] as const),
  );
  const appeal = (article: Article, own: Leaning): number =>
    (popularity.get(article) as number) * harmony(leanings.get(article.sort) as Leaning, own);
  const orders = Array.from({ length: CUSTOMERS }, (_, index) =>
    ordersOf(`C${1001 + index}`, draw, appeal),
  ).flat();
  const lines = orders
    .sort((a, b) => a.day - b.day)
    .flatMap(({ customer, day, lines }, index) =>
      lines.map(({ article, quantity }) => [
        String(24_001 + index),
        customer,
        article.id,
        String(quantity),
        priceOn(day, article),
        new Date(FIRST_DAY + day * DAY).toISOString().slice(0, 10),
      ]),
    );
  return {
    orders: table(['order_id', 'customer', 'article', 'quantity', 'price', 'date'], lines),
    articles: table(
      ['article', 'title', 'category'],
      articles.map(({ id, title, category }) => [id, title, category]),
    ),
  };
}

const table = (names: readonly string[], rows: readonly (readonly string[])[]): string =>
  [names, ...rows].map((row) => `${row.join(';')}\n`).join('');

const priceOn = (day: number, { price }: Article): string =>
  ((day < DEARER ? price : Math.round(price * 0.104) * 10) / 100).toFixed(2).replace('.', ',');

/** @param appeal how much an article appeals to someone with a leaning */
function ordersOf(
  customer: string,
  draw: Chance,
  appeal: (article: Article, own: Leaning) => number,
): Order[] {
  const tastes = draw.shuffled(TASTES).slice(0, 1 + draw.weighted([5, 4, 1]));
  const wanted = CATEGORIES.map((category) =>
    tastes.reduce((sum, taste, rank) => sum + (taste[category] ?? 0) / (rank + 1), 0),
  );
  const own = CATEGORIES.map(() => leaning(draw));
  const appealTo = (article: Article): number => appeal(article, own[CATEGORIES.indexOf(article.category)]);
  const liking = (article: Article): number =>
    (0.3 + wanted[CATEGORIES.indexOf(article.category)]) * appealTo(article);
  const bought: Article[] = [];
  const choose = (): Article => {
    const usedUp = bought.filter(({ isUsedUp }) => isUsedUp);
    if (usedUp.length > 0 && draw.uniform() < AGAIN) return usedUp[draw.weighted(usedUp.map(liking))];
    const category =
      CATEGORIES[draw.uniform() < OTHERWISE ? draw.below(CATEGORIES.length) : draw.weighted(wanted)];
    const left = articles.filter(
      (article) => article.category === category && (article.isUsedUp || !bought.includes(article)),
    );
    return left.length > 0 ? left[draw.weighted(left.map(appealTo))] : choose();
  };
  const first = draw.below(0.8 * DAYS);
  // Few order often, most seldom.
  const count = Math.min(MOST_ORDERS, Math.floor(1 + 3.2 * (draw.uniform() ** -0.6 - 1)));
  const days = [first, ...Array.from({ length: count - 1 }, () => first + draw.below(DAYS - first))];
  const orders: Order[] = [];
  for (const day of days.sort((a, b) => a - b)) {
    const lines: Line[] = [];
    do {
      const article = choose();
      if (lines.some((line) => line.article === article)) continue;
      const quantity = bought.includes(article) ? QUANTITIES[draw.below(QUANTITIES.length)] : 1;
      lines.push({ article, quantity });
    } while (draw.uniform() < 0.58);
    bought.push(...lines.map(({ article }) => article));
    orders.push({ customer, day, lines });
    const back = lines.filter(() => draw.uniform() < RETURNED);
    if (back.length > 0)
      orders.push({
        customer,
        day: day + 3 + draw.below(14),
        lines: back.map(({ article, quantity }) => ({ article, quantity: -(1 + draw.below(quantity)) })),
      });
  }
  return orders;
}
