import { AppError } from '../core/errors.ts';

/** The query would read more than is done for one question. */
export class MetricQueryTooLargeError extends AppError {
  readonly code = 'METRIC_QUERY_TOO_LARGE';

  constructor(limit: number, of: 'rows' | 'series' | 'points' = 'rows') {
    super(
      `The query reaches more than ${limit} ${of}. Ask for less time, for fewer integrations, with a longer step, or group by fewer labels.`,
      { details: { limit, of } },
    );
  }
}

/** No dashboard that the caller may see has this id. */
export class DashboardNotFoundError extends AppError {
  readonly code = 'DASHBOARD_NOT_FOUND';

  constructor(id: string) {
    super(`There is no dashboard ${JSON.stringify(id)}.`, { details: { dashboardId: id } });
  }
}
