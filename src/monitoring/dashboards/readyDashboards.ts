import { type DashboardDefinition, dashboardDefinition } from './dashboardSchema.ts';

interface ReadyDashboard {
  readonly id: string;
  readonly title: string;
  readonly definition: DashboardDefinition;
}

const HALF = 6;

/** A panel of half the width: even ones on the left, odd ones on the right. */
const half = (at: number, panel: object) => ({
  ...panel,
  position: { x: (at % 2) * HALF, y: Math.floor(at / 2) * 8, width: HALF, height: 8 },
});

const grid = (...panels: object[]) => panels.map((panel, at) => half(at, panel));

const OF_INTEGRATIONS = [
  { name: 'platform', label: 'Platform', of: 'platform' },
  { name: 'integration', label: 'Integration', of: 'integrationId' },
];
const CHOSEN = { platform: '$platform', integrationId: '$integration' };

/** There from the first start. They are changed by being copied, so that they can become better with every version. */
export const READY_DASHBOARDS: readonly ReadyDashboard[] = [
  ready('ready-overview', 'Overview', {
    description: 'Whether everything works, and what does not.',
    panels: grid(
      { id: 'health', title: 'Health', kind: 'health' },
      { id: 'alerts', title: 'Alerts', kind: 'alerts' },
      {
        id: 'calls',
        title: 'Calls by outcome',
        kind: 'chart',
        queries: [{ metric: 'calls', aggregation: 'sum', groupBy: ['outcome'], legend: '{{ outcome }}' }],
      },
      {
        id: 'errors',
        title: 'Error rate by platform, %',
        kind: 'chart',
        queries: [{ metric: 'error_rate', aggregation: 'avg', groupBy: ['platform'], legend: '{{ platform }}' }],
        thresholds: [{ value: 5, state: 'fail' }],
      },
      {
        id: 'latency',
        title: 'Response time, ms',
        kind: 'chart',
        queries: [
          { metric: 'response_time_ms', aggregation: 'p50', legend: 'p50' },
          { metric: 'response_time_ms', aggregation: 'p95', legend: 'p95' },
          { metric: 'response_time_ms', aggregation: 'p99', legend: 'p99' },
        ],
      },
      { id: 'log', title: 'Errors', kind: 'logs', logQuery: 'level:>=error' },
    ),
  }),
  ready('ready-integrations', 'Integrations', {
    description: 'How fast and how reliable each provider is, and where the time goes.',
    variables: OF_INTEGRATIONS,
    panels: grid(
      {
        id: 'slowest',
        title: 'Response time by integration, p95 in ms',
        kind: 'table',
        queries: [{ metric: 'response_time_ms', aggregation: 'p95', groupBy: ['integrationId'], filter: CHOSEN }],
        thresholds: [{ value: 5_000, state: 'fail' }],
      },
      {
        id: 'worst',
        title: 'Error rate by integration, %',
        kind: 'table',
        queries: [{ metric: 'error_rate', aggregation: 'avg', groupBy: ['integrationId'], filter: CHOSEN }],
        thresholds: [{ value: 5, state: 'fail' }],
      },
      {
        id: 'phases',
        title: 'Where the time goes, mean in ms',
        kind: 'chart',
        queries: ['queue_ms', 'rate_limit_ms', 'backoff_ms', 'connect_ms', 'first_byte_ms', 'body_ms', 'write_ms'].map(
          (metric) => ({ metric, aggregation: 'avg', filter: CHOSEN, legend: metric }),
        ),
      },
      {
        id: 'throughput',
        title: 'Calls a second',
        kind: 'chart',
        queries: [
          {
            metric: 'throughput',
            aggregation: 'avg',
            groupBy: ['operation'],
            filter: CHOSEN,
            legend: '{{ operation }}',
          },
        ],
      },
      {
        id: 'outcomes',
        title: 'Failures by kind',
        kind: 'chart',
        queries: [
          {
            metric: 'calls',
            aggregation: 'sum',
            groupBy: ['outcome'],
            filter: { ...CHOSEN, '!outcome': 'success' },
            legend: '{{ outcome }}',
          },
        ],
      },
      {
        id: 'received',
        title: 'Received, bytes a second',
        kind: 'chart',
        queries: [
          {
            metric: 'response_bytes',
            aggregation: 'rate',
            groupBy: ['platform'],
            filter: CHOSEN,
            legend: '{{ platform }}',
          },
        ],
      },
    ),
  }),
  ready('ready-system', 'System', {
    description: 'Whether the machine and the database keep up.',
    variables: [{ name: 'process', label: 'Process', of: 'process' }],
    panels: grid(
      ...(
        [
          ['cpu', 'Processors in use', 'process_cpu', 'avg'],
          ['memory', 'Memory, bytes', 'process_memory_bytes', 'max'],
          ['loop', 'Longest delay of the event loop, ms', 'event_loop_delay_ms', 'max'],
          ['pool', 'Queries that wait for a connection', 'pool_waiting', 'max'],
          ['connections', 'Connections to the database', 'pool_connections', 'max'],
          ['disk', 'Free share of the disk', 'disk_free_ratio', 'min'],
        ] as const
      ).map(([id, title, metric, aggregation]) => ({
        id,
        title,
        kind: 'chart',
        queries: [
          { metric, aggregation, groupBy: ['process'], filter: { process: '$process' }, legend: '{{ process }}' },
        ],
      })),
    ),
  }),
  ready('ready-security', 'Security', {
    description: 'Refused credentials, denied requests, failed logins.',
    variables: OF_INTEGRATIONS,
    panels: grid(
      {
        id: 'credentials',
        title: 'Calls that the provider refused for the credentials',
        kind: 'chart',
        queries: [
          {
            metric: 'calls',
            aggregation: 'sum',
            groupBy: ['outcome'],
            filter: { ...CHOSEN, outcome: ['wrong_credentials', 'missing_scope'] },
            legend: '{{ outcome }}',
          },
        ],
      },
      {
        id: 'blocked',
        title: 'Calls to addresses that are not allowed',
        kind: 'chart',
        queries: [
          {
            metric: 'calls',
            aggregation: 'sum',
            groupBy: ['integrationId'],
            filter: { ...CHOSEN, outcome: 'blocked' },
          },
        ],
      },
      { id: 'alerts', title: 'Alerts', kind: 'alerts' },
      {
        id: 'log',
        title: 'Denied requests and failed logins',
        kind: 'logs',
        logQuery: 'event:(access.denied OR login.failed)',
      },
    ),
  }),
];

function ready(id: string, title: string, definition: object): ReadyDashboard {
  return { id, title, definition: dashboardDefinition.parse(definition) };
}
