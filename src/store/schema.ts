import type { AccessTables } from './tables/access.ts';
import type { AccountTables } from './tables/accounts.ts';
import type { AlertTables } from './tables/alerts.ts';
import type { AuditTables } from './tables/audit.ts';
import type { IntegrationTables } from './tables/integrations.ts';
import type { LogTables } from './tables/logs.ts';
import type { MonitoringTables } from './tables/monitoring.ts';
import type { NotificationTables } from './tables/notifications.ts';
import type { PerformanceTables } from './tables/performance.ts';
import type { RateLimitTables } from './tables/rateLimits.ts';
import type { SyncTables } from './tables/sync.ts';

/** Every table of migrations/, as Kysely sees it; a test compares with the real columns. */
export interface Schema
  extends AccessTables,
    AccountTables,
    AlertTables,
    AuditTables,
    IntegrationTables,
    LogTables,
    MonitoringTables,
    NotificationTables,
    PerformanceTables,
    RateLimitTables,
    SyncTables {}
