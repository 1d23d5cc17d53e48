import { verdictOf } from '../artifact/verdict.ts';
import { VERSION } from '../version.ts';
import { type RouteTraffic, trafficOf } from './latency.ts';
import type { Metrics } from './metrics.ts';
import type { Refused, ServedModel } from './models.ts';
import type { Minutes } from './tally.ts';

/** An item, and the number of lists of recommendations that have it. */
export interface ListedItem {
  readonly item: string;
  readonly title?: string | undefined;
  readonly lists: number;
}

export interface ModelStatus {
  readonly name: string;
  readonly version: number;
  /** When this version was loaded. */
  readonly since: Date;
  /** When it was written. */
  readonly written: Date | undefined;
  readonly model: string;
  readonly users: number;
  readonly items: number;
  /** How good it is on held-out data, in words. */
  readonly verdict: string | undefined;
  /** Lists of recommendations since the start, by `/recommend`. */
  readonly lists: number;
  readonly recommended: readonly ListedItem[];
  /** A newer artifact that is not served, and why. */
  readonly refused: Omit<Refused, 'due'> | null;
}

/** What the server does and did, without ids of users. */
export interface Status {
  readonly version: string;
  /** When the server started. */
  readonly started: Date;
  /** Requests of the last 60 minutes. */
  readonly minutes: Minutes;
  /** All requests since the start, but those that watch the server, and those to each route, the busiest first. */
  readonly all: RouteTraffic;
  readonly routes: readonly RouteTraffic[];
  /** The most frequent reasons since the start. */
  readonly refusals: readonly {
    readonly status: number;
    readonly reason: string;
    readonly count: number;
    readonly last: Date;
  }[];
  readonly models: readonly ModelStatus[];
}

/** Rows of the tables. */
const MOST = 10;

/** What the server does and did. */
export async function statusOf(models: readonly ServedModel[], metrics: Metrics): Promise<Status> {
  const refusals = metrics.refusals.top(MOST).map(({ text, count, last }) => {
    const [, status, reason] = /^(\d+) (.*)$/s.exec(text) ?? [];
    return { status: Number(status), reason, count, last };
  });
  return {
    version: VERSION,
    started: metrics.started,
    minutes: metrics.lastHour.minutes(),
    ...(await trafficOf(metrics)),
    refusals,
    models: models.map((model) => modelStatus(model, metrics)),
  };
}

function modelStatus({ name, current, since, written, refused }: ServedModel, metrics: Metrics): ModelStatus {
  const { version, recommender } = current;
  const { manifest } = recommender.artifact;
  const { lists, items } = metrics.listsOf(name);
  return {
    name,
    version,
    since,
    written,
    model: manifest.model.name,
    users: manifest.data.users,
    items: manifest.data.items,
    verdict: manifest.judged && verdictOf(manifest.judged).sentence,
    lists,
    recommended: items.top(MOST).map(({ key: item, count }) => ({
      item,
      title: recommender.titles.get(item),
      lists: count,
    })),
    refused: refused ? withoutDue(refused) : null,
  };
}

const withoutDue = ({ due: _, ...refused }: Refused): Omit<Refused, 'due'> => refused;
