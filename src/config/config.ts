import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { crossCheck } from './crossCheck.ts';
import type { Environment } from './env.ts';
import { ConfigurationError, type ConfigurationProblem } from './errors.ts';
import { DAY_MS, describe, type LOG_LEVELS, type ParsedVariables, VARIABLE_NAMES, VARIABLES } from './variables.ts';

/** Everything the product can be told from outside, checked and with units in the names. */
export interface Config {
  readonly environment: 'development' | 'production' | 'test';
  readonly host: string;
  readonly port: number;
  /** Where people and providers reach this server, without a trailing slash. */
  readonly publicUrl: string;
  /** Absolute. Holds generated secrets and, without DATABASE_URL, the database. */
  readonly dataDir: string;
  /** PostgreSQL connection string; null for the embedded server in `dataDir`. */
  readonly databaseUrl: string | null;
  readonly redisUrl: string | null;
  readonly stackAuth: {
    readonly projectId: string;
    readonly publishableClientKey: string;
    readonly secretServerKey: string;
    /** Base addresses that may issue its tokens, without a trailing slash. */
    readonly issuers: readonly string[];
  } | null;
  /** Null: generated once and kept in `dataDir` (not in production). */
  readonly encryptionSecret: string | null;
  readonly jwtSecret: string | null;
  readonly apiKey: string | null;
  /** Where e-mails are handed over, and whom they come from; null: none are sent. */
  readonly mail: { readonly url: string; readonly from: string } | null;
  readonly logLevel: (typeof LOG_LEVELS)[number];
  /** How many bytes of log records may wait in the data folder for the database. */
  readonly logSpillBytes: number;
  /** Where log records go before they are deleted: a folder, or `s3://bucket/prefix` at an endpoint (null: Amazon's). */
  readonly logArchive: { readonly place: string; readonly endpoint: string | null } | null;
  readonly monitoringEnabled: boolean;
  readonly performanceMonitoringEnabled: boolean;
  /** How long measurements are kept, and what integrations are judged by: milliseconds and percent of calls. */
  readonly performance: {
    readonly metricsRetentionDays: number;
    readonly alertThresholds: {
      readonly responseTime: number;
      readonly errorRate: number;
      readonly successRate: number;
    };
  };
  readonly securityMonitoringEnabled: boolean;
  readonly vulnerabilityScanIntervalMs: number;
  /** The budget of a credential whose connector and configuration name none. */
  readonly defaultRateLimit: { readonly maxRequests: number; readonly windowMs: number };
  /** Requests a minute that one user, API key or the installation's key may make. */
  readonly apiRateLimit: number;
  /** Addresses and CIDR ranges of proxies in front, whose X-Forwarded-For is believed. */
  readonly trustedProxies: readonly string[];
  /** Hosts, addresses or CIDR ranges that outgoing calls may reach although they are private. */
  readonly allowedPrivateHosts: readonly string[];
  /** Where the audit log's checkpoints are also sent; null for nowhere. */
  readonly auditCheckpointWebhook: string | null;
  /** Integrations that have series of their own in /metrics: the busiest ones. */
  readonly metricsIntegrationSeries: number;
  /** The variables of OpenTelemetry (`OTEL_*`), as its own libraries read them. */
  readonly openTelemetry: Readonly<Record<string, string>>;
}

/**
 * Makes the configuration of the variables.
 * @throws ConfigurationError listing every problem at once: the variable, what it got, what it takes.
 */
export function makeConfig(environment: Environment): Config {
  const problems: ConfigurationProblem[] = [];
  const parsed: ParsedVariables = {};
  for (const name of VARIABLE_NAMES) {
    const [schema, takes] = VARIABLES[name];
    const text = environment[name];
    if (text === undefined) continue;
    const result = schema.safeParse(text.trim());
    if (result.success) Object.assign(parsed, { [name]: result.data });
    else problems.push({ variable: name, got: describe(name, text), takes });
  }
  problems.push(...crossCheck(environment, parsed));
  if (problems.length > 0) throw new ConfigurationError(problems);

  const production = parsed.NODE_ENV === 'production';
  const host = parsed.HOST ?? (production ? '0.0.0.0' : '127.0.0.1');
  const port = parsed.PORT ?? 3000;
  return {
    environment: parsed.NODE_ENV ?? 'development',
    host,
    port,
    publicUrl: (parsed.PUBLIC_URL ?? `http://localhost:${port}`).replace(/\/+$/, ''),
    dataDir: resolve(parsed.DATA_DIR ?? defaultDataDir(environment)),
    databaseUrl: parsed.DATABASE_URL ?? null,
    redisUrl: parsed.REDIS_URL ?? null,
    stackAuth: parsed.VITE_STACK_PROJECT_ID
      ? {
          projectId: parsed.VITE_STACK_PROJECT_ID,
          publishableClientKey: parsed.VITE_STACK_PUBLISHABLE_CLIENT_KEY ?? '',
          secretServerKey: parsed.STACK_SECRET_SERVER_KEY ?? '',
          issuers: parsed.STACK_AUTH_ISSUERS ?? ['https://api.stack-auth.com'],
        }
      : null,
    encryptionSecret: parsed.ENCRYPTION_SECRET ?? null,
    jwtSecret: parsed.JWT_SECRET ?? null,
    apiKey: parsed.API_KEY ?? null,
    mail: parsed.SMTP_URL && parsed.SMTP_FROM ? { url: parsed.SMTP_URL, from: parsed.SMTP_FROM } : null,
    logLevel: parsed.LOG_LEVEL ?? 'info',
    logArchive:
      parsed.LOG_ARCHIVE === undefined
        ? null
        : { place: parsed.LOG_ARCHIVE, endpoint: parsed.LOG_ARCHIVE_ENDPOINT ?? null },
    logSpillBytes: (parsed.LOG_SPILL_MB ?? 256) * 1024 * 1024,
    monitoringEnabled: parsed.MONITORING_ENABLED ?? true,
    performanceMonitoringEnabled: parsed.PERFORMANCE_MONITORING_ENABLED ?? true,
    performance: {
      metricsRetentionDays: parsed.METRICS_RETENTION_DAYS ?? 30,
      alertThresholds: {
        responseTime: parsed.ALERT_RESPONSE_TIME ?? 5_000,
        errorRate: parsed.ALERT_ERROR_RATE ?? 5,
        successRate: parsed.ALERT_SUCCESS_RATE ?? 95,
      },
    },
    securityMonitoringEnabled: parsed.SECURITY_MONITORING_ENABLED ?? true,
    vulnerabilityScanIntervalMs: parsed.VULNERABILITY_SCAN_INTERVAL ?? DAY_MS,
    defaultRateLimit: { maxRequests: parsed.DEFAULT_RATE_LIMIT ?? 100, windowMs: parsed.RATE_LIMIT_WINDOW ?? 60_000 },
    apiRateLimit: parsed.API_RATE_LIMIT ?? 1_200,
    trustedProxies: parsed.TRUSTED_PROXIES ?? [],
    allowedPrivateHosts: parsed.ALLOWED_PRIVATE_HOSTS ?? [],
    auditCheckpointWebhook: parsed.AUDIT_CHECKPOINT_WEBHOOK ?? null,
    metricsIntegrationSeries: parsed.METRICS_INTEGRATION_SERIES ?? 100,
    openTelemetry: openTelemetryVariables(environment),
  };
}

function openTelemetryVariables(environment: Environment): Record<string, string> {
  const entries = Object.entries(environment).filter(([name, value]) => /^OTEL_[A-Z_]+$/.test(name) && value?.trim());
  return Object.fromEntries(entries) as Record<string, string>;
}

/** For root below /var/lib, because the embedded server runs as another user, who must reach it; else in the home. */
function defaultDataDir(environment: Environment): string {
  if (process.getuid?.() === 0) return '/var/lib/integration-services';
  return join(environment.XDG_DATA_HOME ?? join(homedir(), '.local', 'share'), 'integration-services');
}
