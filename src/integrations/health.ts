import type {
  ConnectionTestResult,
  HealthCheck,
  HealthCheckResult,
  HealthState,
  Integration,
  IntegrationMetrics,
} from './types.ts';

/** Below this many calls a share of errors says nothing. */
const MIN_CALLS = 20;
const WARN_ERROR_PERCENT = 5;
const FAIL_ERROR_PERCENT = 50;

export interface HealthEvidence {
  readonly integration: Integration;
  readonly connection: ConnectionTestResult;
  readonly breaker: 'closed' | 'open' | 'half_open';
  readonly metrics: IntegrationMetrics;
  readonly lastRun: {
    readonly status: string;
    readonly error: string | null;
    readonly finishedAt: string | null;
  } | null;
  readonly checkedAt: string;
}

/** Judges evidence: one failed check makes the integration unhealthy, a warning degraded. */
export function judgeHealth(evidence: HealthEvidence): HealthCheckResult {
  const checks = [connection(evidence), circuitBreaker(evidence), lastSync(evidence), errorRate(evidence)];
  return {
    integrationId: evidence.integration.id,
    status: overall(checks),
    checks,
    checkedAt: evidence.checkedAt,
    connection: evidence.connection,
  };
}

function overall(checks: readonly HealthCheck[]): HealthState {
  if (checks.some(({ state }) => state === 'fail')) return 'unhealthy';
  if (checks.some(({ state }) => state === 'warn')) return 'degraded';
  return checks.every(({ state }) => state === 'unknown') ? 'unknown' : 'healthy';
}

function connection({ connection: test }: HealthEvidence): HealthCheck {
  // A rate limit or an open breaker keeps the credentials from being judged; neither proves them wrong.
  const undecided = test.status === 'rate_limited' || test.status === 'circuit_open';
  return {
    name: 'connection',
    state: test.success ? 'pass' : undecided ? 'warn' : 'fail',
    observed: `${test.status} in ${test.latencyMs} ms`,
    ...(test.error === undefined ? {} : { detail: test.error }),
  };
}

function circuitBreaker({ breaker }: HealthEvidence): HealthCheck {
  const state = { closed: 'pass', half_open: 'warn', open: 'fail' } as const;
  return { name: 'circuit_breaker', state: state[breaker], observed: breaker };
}

function lastSync({ lastRun }: HealthEvidence): HealthCheck {
  if (lastRun === null) return { name: 'last_sync', state: 'unknown', observed: 'never synced' };
  const at = lastRun.finishedAt === null ? '' : ` at ${lastRun.finishedAt}`;
  return {
    name: 'last_sync',
    state: lastRun.status === 'failed' ? 'fail' : lastRun.status === 'stopped' ? 'warn' : 'pass',
    observed: `${lastRun.status}${at}`,
    ...(lastRun.error === null ? {} : { detail: lastRun.error }),
  };
}

function errorRate({ metrics }: HealthEvidence): HealthCheck {
  if (metrics.errorRate === null || metrics.totalRequests < MIN_CALLS) {
    return {
      name: 'error_rate',
      state: 'unknown',
      observed: `${metrics.totalRequests} calls, at least ${MIN_CALLS} are needed`,
    };
  }
  const percent = metrics.errorRate;
  return {
    name: 'error_rate',
    state: percent >= FAIL_ERROR_PERCENT ? 'fail' : percent >= WARN_ERROR_PERCENT ? 'warn' : 'pass',
    observed: `${percent.toFixed(1)} % of ${metrics.totalRequests} calls in ${metrics.windowHours} hours`,
  };
}
