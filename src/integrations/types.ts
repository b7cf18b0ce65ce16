import type { JsonObject } from '../core/json.ts';

export type IntegrationStatus = 'pending' | 'connected' | 'disconnected' | 'error' | 'deleting';

/** A request budget of one credential. Several may be set; a call must fit all of them. */
export interface ConfiguredRateLimits {
  requestsPerSecond?: number;
  requestsPerMinute?: number;
  requestsPerHour?: number;
  requestsPerDay?: number;
}

/** Narrows or adjusts a stream; streams not named in the configuration are synced as the connector says. */
export interface IntegrationConfiguration {
  /** `realtime | minutely | hourly | daily | weekly | manual`, an interval such as `15m`, or a cron expression. Default `manual`. */
  syncFrequency?: string;
  /** IANA name that cron expressions are read in. Default `UTC`. */
  timezone?: string;
  rateLimits?: ConfiguredRateLimits;
  /** The connector's connection fields, such as Shopify's `shop`. */
  connection?: Record<string, string | number | boolean>;
  /** Which of the connector's auth modes the credentials are for, where they do not tell. */
  authMode?: string;
  /** Names of the streams to sync. Default: every stream of the connector that is on by default. */
  streams?: string[];
  /** ISO 8601: incremental streams start here on their first run. */
  startDate?: string;
  /** Largest share of a stream's records, in percent, that one run may delete without confirmation. Default 20. */
  deletionSafetyPercent?: number;
  /** Platform `http` only: the description of the API, in the connector format. */
  connector?: JsonObject;
}

export interface CreateIntegrationData {
  name: string;
  /** A word of yours to group by, such as `social_media`. Default: the connector's category. */
  type?: string;
  platform: string;
  /** Write-only: never returned. */
  credentials?: Record<string, string>;
  configuration?: IntegrationConfiguration;
  /** Default: the id of the user who makes it, else `default`. */
  owner?: string;
}

export interface UpdateIntegrationData {
  name?: string;
  type?: string;
  /** Replaces the credentials as a whole. */
  credentials?: Record<string, string>;
  /** Merged by key into the stored configuration; a key set to null is removed. */
  configuration?: { [K in keyof IntegrationConfiguration]?: IntegrationConfiguration[K] | null };
  /** The version this change was made from; when it is no longer the stored one, `ConflictError`. */
  version?: number;
}

export interface Integration {
  readonly id: string;
  readonly owner: string;
  readonly name: string;
  readonly type: string;
  readonly platform: string;
  readonly status: IntegrationStatus;
  /** Why the status is `error` or `disconnected`, in words. */
  readonly statusReason: string | null;
  readonly configuration: IntegrationConfiguration;
  /** Names of the credential fields that are stored; the values are write-only. */
  readonly credentialFields: readonly string[];
  readonly credentialsUpdatedAt: string | null;
  /** Raised by every change; the REST API's ETag. */
  readonly version: number;
  /** ISO 8601. */
  readonly createdAt: string;
  readonly updatedAt: string;
}

export type ConnectionStatus =
  | 'connected'
  | 'wrong_credentials'
  | 'missing_credentials'
  | 'missing_scope'
  | 'unreachable'
  | 'tls_error'
  | 'dns_error'
  | 'timeout'
  | 'rate_limited'
  | 'provider_error'
  | 'not_found'
  | 'public_endpoint'
  | 'bad_response'
  | 'blocked'
  | 'circuit_open'
  | 'invalid_configuration'
  /** The platform's description now sends the credentials somewhere they were not given for. */
  | 'other_origin';

export interface ConnectionTestResult {
  readonly success: boolean;
  /** The whole test, in milliseconds. */
  readonly latencyMs: number;
  readonly status: ConnectionStatus;
  /** What was wrong and what to do; absent on success. */
  readonly error?: string;
  readonly details: {
    readonly platform: string;
    readonly operationId: string;
    readonly httpStatus?: number;
    readonly url?: string;
    readonly providerCode?: string;
    readonly providerMessage?: string;
    /** Who the credentials belong to, where the check's answer tells. */
    readonly account?: string;
    readonly missingScopes?: readonly string[];
    readonly retryAfterSeconds?: number;
    readonly attempts?: number;
    readonly testedAt: string;
  };
}

export type HealthState = 'healthy' | 'degraded' | 'unhealthy' | 'unknown';

export interface HealthCheck {
  readonly name: 'connection' | 'circuit_breaker' | 'last_sync' | 'error_rate';
  readonly state: 'pass' | 'warn' | 'fail' | 'unknown';
  readonly observed: string;
  readonly detail?: string;
}

export interface HealthCheckResult {
  readonly integrationId: string;
  readonly status: HealthState;
  readonly checks: readonly HealthCheck[];
  readonly checkedAt: string;
  readonly connection: ConnectionTestResult;
}

/** Measured over the outgoing calls and runs of the last `windowHours`. Percentages are 0–100; null without samples. */
export interface IntegrationMetrics {
  readonly integrationId: string;
  readonly windowHours: number;
  readonly totalRequests: number;
  readonly successfulRequests: number;
  readonly failedRequests: number;
  readonly successRate: number | null;
  readonly errorRate: number | null;
  /** Milliseconds, an attempt from socket to last byte. */
  readonly avgResponseTime: number | null;
  readonly p50ResponseTime: number | null;
  readonly p95ResponseTime: number | null;
  readonly p99ResponseTime: number | null;
  readonly responseBytes: number;
  readonly outcomes: Readonly<Record<string, number>>;
  readonly syncRuns: number;
  readonly failedSyncRuns: number;
  readonly recordsSynced: number;
  readonly recordCount: number;
  readonly lastSyncAt: string | null;
}

export interface WebhookConfig {
  /** Set by the service. */
  readonly id?: string;
  readonly url: string;
  /** Event types such as `sync.completed`; `*` for all. */
  readonly events: readonly string[];
  readonly description?: string;
  /** Default true. */
  readonly active?: boolean;
  /** `whsec_` + base64 of 24–64 bytes. Made when absent. Write-only: never returned. */
  readonly secret?: string;
  readonly createdAt?: string;
  readonly updatedAt?: string;
}

export interface RateLimitResult {
  /** What the call is for, as it was asked. */
  readonly action: string;
  readonly allowed: boolean;
  readonly limit: number;
  readonly remaining: number;
  /** ISO 8601. */
  readonly resetAt: string;
  /** Seconds until the next call is allowed; 0 when it is. */
  readonly retryAfter: number;
}
