import type { Metrics } from './metrics.ts';

/** Requests to a route since the start, and the seconds of most of them. */
export interface RouteTraffic {
  /** Such as `GET /recommend/:user`. */
  readonly route: string;
  readonly requests: number;
  /** Of these, those with a status from 400 on. */
  readonly refused: number;
  /** Seconds in which half, 95 % and 99 % were answered, by the buckets of the histogram. */
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
}

interface Counted {
  requests: number;
  refused: number;
  /** Requests by the upper bound of their seconds. */
  readonly within: Map<number, number>;
}

/** Traffic and latency of each route, and of all, the busiest first; without those that only watch the server. */
export async function trafficOf({
  requests,
}: Metrics): Promise<{ all: RouteTraffic; routes: RouteTraffic[] }> {
  const byRoute = new Map<string, Counted>();
  const all: Counted = { requests: 0, refused: 0, within: new Map() };
  for (const { metricName, labels, value } of (await requests.get()).values) {
    const { method, route, status, le } = labels as typeof labels & { readonly le?: number | string };
    if (WATCHING.test(String(route))) continue;
    const name = route === 'none' ? 'other paths' : `${method} ${route}`;
    const own = byRoute.get(name) ?? { requests: 0, refused: 0, within: new Map() };
    byRoute.set(name, own);
    for (const counted of [own, all]) {
      if (metricName?.endsWith('_count')) {
        counted.requests += value;
        if (Number(status) >= 400) counted.refused += value;
      } else if (le !== undefined) {
        const bound = le === '+Inf' ? Number.POSITIVE_INFINITY : Number(le);
        counted.within.set(bound, (counted.within.get(bound) ?? 0) + value);
      }
    }
  }
  const routes = [...byRoute].map(([name, counted]) => routeTraffic(name, counted));
  return {
    all: routeTraffic('all', all),
    routes: routes.sort((one, other) => other.requests - one.requests),
  };
}

/** Routes of supervisors, whose requests are not the traffic of users. */
export const WATCHING = /^\/(v2\/health\/.*|metrics|status)$/;

const routeTraffic = (route: string, { requests, refused, within }: Counted): RouteTraffic => {
  const [p50, p95, p99] = [0.5, 0.95, 0.99].map((part) => quantile(within, part * requests));
  return { route, requests, refused, p50, p95, p99 };
};

/** Where a bucket holds the rank, a linear part of it, as Prometheus has it. */
function quantile(within: ReadonlyMap<number, number>, rank: number): number {
  let [from, below] = [0, 0];
  for (const [bound, upTo] of [...within].sort(([one], [other]) => one - other)) {
    if (upTo >= rank && upTo > below)
      return Number.isFinite(bound) ? from + ((bound - from) * (rank - below)) / (upTo - below) : from;
    [from, below] = [bound, upTo];
  }
  return from;
}
