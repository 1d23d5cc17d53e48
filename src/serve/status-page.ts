import type { FastifyInstance } from 'fastify';
import { type Html, headerOf, html, pageOf } from '../document/html.ts';
import { facts, inShort, numbers, table } from '../document/table.ts';
import { count, decimal, percent, plural } from '../util/format.ts';
import type { Metrics } from './metrics.ts';
import type { ServedModel } from './models.ts';
import { type ModelStatus, type Status, statusOf } from './status.ts';

/** After so many seconds a browser asks again. */
const REFRESH_SECONDS = 10;

// The page has no scripts, and loads nothing.
const SAFETY = {
  'content-security-policy':
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'cache-control': 'no-store',
  vary: 'accept',
};

/** Adds `/status`: a page for a browser, and otherwise JSON. */
export function addStatus(app: FastifyInstance, models: readonly ServedModel[], metrics: Metrics): void {
  const schema = { summary: 'Traffic, what is served, and what was refused and why; a page for browsers' };
  app.get('/status', { schema }, async ({ headers }, reply) => {
    const status = await statusOf(models, metrics);
    reply.headers(SAFETY);
    if (!/\btext\/html\b/.test(headers.accept ?? '')) return status;
    // By a header, because a page that renews itself by its own markup is one that no reader of screens can stop.
    reply.header('refresh', REFRESH_SECONDS).type('text/html; charset=utf-8');
    return statusPage(status);
  });
}

/** The page of `/status`. */
export function statusPage(status: Status, now = new Date()): string {
  const { started, models, refusals } = status;
  const names = models.map(({ name }) => name).join(', ');
  const body = html`${headerOf(
    `cofactor ${status.version}`,
    'Server status',
    html`Serves ${names}. Started ${ago(started, now)}. This page is renewed every ${REFRESH_SECONDS} seconds.`,
    numbersOf(status),
  )}
<main>
<section><h2>Traffic</h2>${traffic(status)}</section>
${models.map((model) => html`<section><h2>Model ${model.name}</h2>${aboutModel(model, now)}</section>\n`)}
<section><h2>Refused requests</h2>${
    refusals.length === 0
      ? html`<p>None since the start.</p>`
      : html`<div class="scroll">${table(
          'The most frequent reasons since the start',
          ['Reason', ...numbers('Requests', 'Last')],
          refusals.map(({ status, reason, count: times, last }) => [
            `${reason} (${status})`,
            count(times),
            ago(last, now),
          ]),
        )}</div>`
  }</section>
</main>`;
  return pageOf('Server status', body);
}

function numbersOf({ minutes, all }: Status): Html {
  const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);
  const [answered, refused] = [sum(minutes.answered), sum(minutes.refused)];
  const requests = answered + refused;
  return inShort([
    ['requests in the last hour', count(requests)],
    ['of them refused or failed', requests > 0 ? percent(refused / requests) : '–'],
    ['half are answered within', all.requests > 0 ? time(all.p50) : '–'],
    ['95 % are answered within', all.requests > 0 ? time(all.p95) : '–'],
  ]);
}

function traffic({ minutes, routes }: Status): Html {
  const rows = routes.map(({ route, requests, refused, p50, p95 }) => [
    // On a phone it is broken before slashes.
    html`<code style="overflow-wrap: break-word">${route.split(/(?=\/)/).map((part) => html`${part}<wbr>`)}</code>`,
    count(requests),
    count(refused),
    ...[p50, p95].map(time),
  ]);
  return html`<figure class="map"><figcaption><b>Requests per minute</b> ${caption(minutes)}</figcaption>${chart(minutes)}</figure>
${
  rows.length > 0 &&
  html`<div class="scroll" style="margin-top: 1.5rem">${table(
    'By endpoint: requests since the start, and the time within which 50 and 95 % of them were answered',
    ['Endpoint', ...numbers('Requests', 'Refused', '50 %', '95 %')],
    rows,
  )}</div>`
}`;
}

const most = ({ answered, refused }: Status['minutes']): number =>
  Math.max(...answered.map((times, at) => times + refused[at]));

function caption(minutes: Status['minutes']): string {
  const highest = most(minutes);
  return highest === 0
    ? 'There were none in the last hour.'
    : `In the last hour, at most ${count(highest)} in a minute. Those that were refused or failed are in another colour, at the top.`;
}

const [WIDTH, HEIGHT] = [720, 120];

/** Drawn here, because a library of charts would hold up requests while it draws. */
function chart(minutes: Status['minutes']): Html {
  const { answered, refused } = minutes;
  const step = WIDTH / answered.length;
  const unit = (HEIGHT - 8) / Math.max(1, most(minutes));
  const bar = (at: number, from: number, times: number, colour: string): Html | false =>
    times > 0 &&
    html`<rect x="${decimal(at * step + 1, 1)}" y="${decimal(HEIGHT - (from + times) * unit, 1)}" width="${decimal(step - 2, 1)}" height="${decimal(times * unit, 1)}" fill="var(--${colour})"/>`;
  const bars = answered.map((times, at) => [bar(at, 0, times, 'accent'), bar(at, times, refused[at], 'bad')]);
  const label = `Requests per minute in the last hour, at most ${count(most(minutes))}`;
  return html`<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" style="height: 7.5rem" role="img" aria-label="${label}">${bars}</svg>
<div style="display: flex; justify-content: space-between; color: var(--soft); font-size: 0.8125rem"><span>an hour ago</span><span>now</span></div>`;
}

function aboutModel(model: ModelStatus, now: Date): Html {
  const { version, since, written, verdict, users, items, lists, recommended, refused } = model;
  return html`${
    refused !== null &&
    html`<p class="notice">A newer model in the folder is refused, for ${duration(refused.since, now)} now: ${refused.reason}. It was tried ${plural(refused.tries, 'time')}; the next try is ${until(refused.next, now)}.</p>`
  }
<div class="columns"><div>${facts([
    ['Version', `${version}, served for ${duration(since, now)}`],
    ['Written', written && ago(written, now)],
    ['Model', model.model],
    ['Size', `${plural(users, 'user')}, ${plural(items, 'item')}`],
    ['How good', verdict],
    ['Recommended', plural(lists, 'list')],
  ])}</div>
<div>${
    recommended.length > 0
      ? table(
          'The most recommended items, since the start',
          ['Item', ...numbers('Lists', 'Share')],
          recommended.map(({ item, title = item, lists: having }) => [
            title,
            count(having),
            together(percent(having / lists)),
          ]),
        )
      : html`<p>Nothing was recommended yet.</p>`
  }</div></div>`;
}

/** A text that stays on one line. */
const together = (text: string): string => text.replaceAll(' ', '\u00a0');

/** Seconds as `3.2 ms` or `1.50 s`. */
const time = (seconds: number): string =>
  together(seconds < 1 ? `${decimal(seconds * 1000, 1)} ms` : `${decimal(seconds, 2)} s`);

const UNITS = [
  [86_400, 'day'],
  [3600, 'hour'],
  [60, 'minute'],
  [1, 'second'],
] as const;

/** The time from one date to another, in words: `3 hours`. */
function duration(from: Date, to: Date): string {
  const seconds = Math.max(0, (to.getTime() - from.getTime()) / 1000);
  const [unit, name] = UNITS.find(([unit]) => seconds >= unit) ?? [1, 'second'];
  return plural(Math.floor(seconds / unit), name);
}

function ago(date: Date, now: Date): Html {
  const words = now.getTime() - date.getTime() < 1000 ? 'just now' : `${duration(date, now)} ago`;
  return html`<time datetime="${date.toISOString()}">${together(words)}</time>`;
}

const until = (date: Date, now: Date): string => (date <= now ? 'due' : `in ${duration(now, date)}`);
