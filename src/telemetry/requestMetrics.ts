import { Histogram } from '../performance/histogram.ts';
import { counter, type Family, histogram, histogramSample } from './families.ts';

const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);
/** Far above the routes there are: a caller that gives paths instead of templates cannot fill the memory. */
const MAX_ROUTES = 1_000;

interface RouteSeries {
  readonly method: string;
  readonly route: string;
  readonly duration: Histogram;
  /** By the first digit of the status. */
  readonly statuses: number[];
}

/** Counts requests of the REST API by the template of their route. */
export class RequestMetrics {
  readonly #routes = new Map<string, RouteSeries[]>();

  /** @param route the template, such as `/api/v1/integrations/:id`; undefined where none matched */
  record(method: string, route: string | undefined, status: number, durationMs: number): void {
    const series = this.#series(METHODS.has(method) ? method : 'other', route ?? 'unmatched');
    const family = Math.floor(status / 100);
    series.statuses[family] = (series.statuses[family] ?? 0) + 1;
    series.duration.record(Math.max(0, durationMs) / 1_000);
  }

  families(): Family[] {
    const series = [...this.#routes.values()].flat();
    return [
      counter(
        'integration_services_http_requests_total',
        'Requests that were answered, by the class of the status.',
        series.flatMap(({ method, route, statuses }) =>
          statuses.flatMap((value, family) => ({ labels: { method, route, status: `${family}xx` }, value })),
        ),
      ),
      histogram(
        'integration_services_http_request_duration_seconds',
        'Time from the head of a request to the end of its answer.',
        series.map(({ method, route, duration }) => histogramSample({ method, route }, duration)),
      ),
    ];
  }

  #series(method: string, route: string): RouteSeries {
    let ofRoute = this.#routes.get(route);
    if (ofRoute === undefined) {
      if (this.#routes.size >= MAX_ROUTES && route !== 'unmatched') return this.#series(method, 'unmatched');
      ofRoute = [];
      this.#routes.set(route, ofRoute);
    }
    for (const one of ofRoute) if (one.method === method) return one;
    const series: RouteSeries = { method, route, duration: new Histogram(), statuses: [] };
    ofRoute.push(series);
    return series;
  }
}
