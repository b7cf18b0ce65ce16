import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { makeConfig } from '../../src/config/config.ts';
import { readEnvironment } from '../../src/config/env.ts';
import { ConfigurationError } from '../../src/config/errors.ts';
import { loadSecrets } from '../../src/config/secrets.ts';
import { VARIABLE_NAMES } from '../../src/config/variables.ts';

const SPECIFIED = [
  'DATABASE_URL',
  'VITE_STACK_PROJECT_ID',
  'VITE_STACK_PUBLISHABLE_CLIENT_KEY',
  'STACK_SECRET_SERVER_KEY',
  'ENCRYPTION_SECRET',
  'JWT_SECRET',
  'MONITORING_ENABLED',
  'LOG_LEVEL',
  'PERFORMANCE_MONITORING_ENABLED',
  'DEFAULT_RATE_LIMIT',
  'RATE_LIMIT_WINDOW',
  'VULNERABILITY_SCAN_INTERVAL',
  'SECURITY_MONITORING_ENABLED',
  'NODE_ENV',
];

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'config-'));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

function problemsOf(environment: Record<string, string>): Record<string, { got: string; takes: string }> {
  try {
    makeConfig(environment);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigurationError);
    return Object.fromEntries((error as ConfigurationError).problems.map((problem) => [problem.variable, problem]));
  }
  return {};
}

describe('configuration', () => {
  it('needs nothing in development', () => {
    expect(makeConfig({})).toMatchObject({
      environment: 'development',
      host: '127.0.0.1',
      port: 3000,
      databaseUrl: null,
      defaultRateLimit: { maxRequests: 100, windowMs: 60_000 },
      vulnerabilityScanIntervalMs: 86_400_000,
      monitoringEnabled: true,
    });
  });

  it('knows every variable of the specification', () => {
    expect(VARIABLE_NAMES).toEqual(expect.arrayContaining(SPECIFIED));
  });

  it('gives every variable its meaning', () => {
    const config = makeConfig({
      DATABASE_URL: 'postgresql://me:pw@db:5432/x',
      VITE_STACK_PROJECT_ID: 'p',
      VITE_STACK_PUBLISHABLE_CLIENT_KEY: 'c',
      STACK_SECRET_SERVER_KEY: 's',
      ENCRYPTION_SECRET: 'e'.repeat(32),
      JWT_SECRET: 'j'.repeat(32),
      MONITORING_ENABLED: 'false',
      LOG_LEVEL: 'DEBUG',
      LOG_SPILL_MB: '5',
      LOG_ARCHIVE: 's3://our-logs/here',
      LOG_ARCHIVE_ENDPOINT: 'http://127.0.0.1:9000',
      PERFORMANCE_MONITORING_ENABLED: 'no',
      DEFAULT_RATE_LIMIT: '7',
      RATE_LIMIT_WINDOW: '2000',
      VULNERABILITY_SCAN_INTERVAL: '60000',
      SECURITY_MONITORING_ENABLED: '0',
      PORT: '0',
      HOST: '::1',
      DATA_DIR: '/tmp/x',
      PUBLIC_URL: 'https://x.example/',
      REDIS_URL: 'redis://r:1',
      SMTP_URL: 'smtps://me:pw@mail.example',
      SMTP_FROM: 'Integrations <i@mail.example>',
      ALLOWED_PRIVATE_HOSTS: '10.0.0.0/8, crm.internal ,[::1]',
      API_KEY: 'k'.repeat(32),
      AUDIT_CHECKPOINT_WEBHOOK: 'https://witness.example/checkpoints',
      STACK_AUTH_ISSUERS: 'https://api.stack-auth.com/, http://stack.internal:8102',
      API_RATE_LIMIT: '50',
      METRICS_INTEGRATION_SERIES: '7',
      OTEL_SERVICE_NAME: 'mine',
      METRICS_RETENTION_DAYS: '7',
      ALERT_RESPONSE_TIME: '800',
      ALERT_ERROR_RATE: '0.5',
      ALERT_SUCCESS_RATE: '99.9',
      TRUSTED_PROXIES: '10.1.2.3, fd00::/8',
    });
    expect(config).toEqual({
      environment: 'development',
      host: '::1',
      port: 0,
      publicUrl: 'https://x.example',
      dataDir: '/tmp/x',
      databaseUrl: 'postgresql://me:pw@db:5432/x',
      redisUrl: 'redis://r:1',
      stackAuth: {
        projectId: 'p',
        publishableClientKey: 'c',
        secretServerKey: 's',
        issuers: ['https://api.stack-auth.com', 'http://stack.internal:8102'],
      },
      apiRateLimit: 50,
      trustedProxies: ['10.1.2.3', 'fd00::/8'],
      encryptionSecret: 'e'.repeat(32),
      jwtSecret: 'j'.repeat(32),
      apiKey: 'k'.repeat(32),
      mail: { url: 'smtps://me:pw@mail.example', from: 'Integrations <i@mail.example>' },
      logLevel: 'debug',
      logSpillBytes: 5 * 1024 * 1024,
      logArchive: { place: 's3://our-logs/here', endpoint: 'http://127.0.0.1:9000' },
      monitoringEnabled: false,
      performanceMonitoringEnabled: false,
      performance: {
        metricsRetentionDays: 7,
        alertThresholds: { responseTime: 800, errorRate: 0.5, successRate: 99.9 },
      },
      securityMonitoringEnabled: false,
      vulnerabilityScanIntervalMs: 60_000,
      defaultRateLimit: { maxRequests: 7, windowMs: 2000 },
      allowedPrivateHosts: ['10.0.0.0/8', 'crm.internal', '[::1]'],
      auditCheckpointWebhook: 'https://witness.example/checkpoints',
      metricsIntegrationSeries: 7,
      openTelemetry: { OTEL_SERVICE_NAME: 'mine' },
    });
  });

  it('lists every problem at once, with what it got and what it takes', () => {
    const problems = problemsOf({
      PORT: '99999',
      LOG_LEVEL: 'loud',
      DATABASE_URL: 'mysql://x',
      DEFAULT_RATE_LIMIT: 'many',
      MONITORING_ENABLED: 'perhaps',
      VITE_STACK_PROJECT_ID: 'p',
    });
    expect(Object.keys(problems).sort()).toEqual([
      'DATABASE_URL',
      'DEFAULT_RATE_LIMIT',
      'LOG_LEVEL',
      'MONITORING_ENABLED',
      'PORT',
      'STACK_SECRET_SERVER_KEY',
      'VITE_STACK_PUBLISHABLE_CLIENT_KEY',
    ]);
    expect(problems.PORT).toMatchObject({ got: '"99999"', takes: 'a port from 0 (any free one) to 65535' });
    expect(problems.LOG_LEVEL?.takes).toContain('verbose');
  });

  it('takes a mail server only together with whom e-mails come from', () => {
    expect(Object.keys(problemsOf({ SMTP_URL: 'smtp://localhost' }))).toEqual(['SMTP_FROM']);
    expect(Object.keys(problemsOf({ SMTP_FROM: 'a@example.com' }))).toEqual(['SMTP_URL']);
    const wrong = problemsOf({ SMTP_URL: 'http://me:hunter2@x', SMTP_FROM: 'a@example.com\nBcc: b@example.com' });
    expect(Object.keys(wrong).sort()).toEqual(['SMTP_FROM', 'SMTP_URL']);
    expect(wrong.SMTP_URL?.got).not.toContain('hunter2');
  });

  it('never shows a secret that is wrong', () => {
    expect(() => makeConfig({ ENCRYPTION_SECRET: 'tooShortSecret' })).toThrow(
      /got a value of 14 characters \(not shown\)/,
    );
    expect(() => makeConfig({ DATABASE_URL: 'mysql://me:hunter2@x' })).not.toThrow(/hunter2/);
  });

  it('refuses production without its secrets, or with one used twice', () => {
    expect(Object.keys(problemsOf({ NODE_ENV: 'production' })).sort()).toEqual([
      'API_KEY',
      'ENCRYPTION_SECRET',
      'JWT_SECRET',
    ]);
    const same = {
      NODE_ENV: 'production',
      API_KEY: 'k'.repeat(32),
      ENCRYPTION_SECRET: 's'.repeat(32),
      JWT_SECRET: 's'.repeat(32),
    };
    expect(Object.keys(problemsOf(same))).toEqual(['JWT_SECRET']);
  });

  it('reads .env, which the process overrides and an empty value switches off', () => {
    const directory = folder();
    writeFileSync(join(directory, '.env'), 'PORT=4001\nLOG_LEVEL=debug\nREDIS_URL=\n# a comment\nHOST="0.0.0.0"\n');
    process.env.LOG_LEVEL = 'warn';
    onTestFinished(() => {
      delete process.env.LOG_LEVEL;
    });
    const environment = readEnvironment(directory);
    expect(environment).toMatchObject({ PORT: '4001', LOG_LEVEL: 'warn', HOST: '0.0.0.0' });
    expect(environment.REDIS_URL).toBeUndefined();
  });
});

describe('secrets that are not set', () => {
  it('are generated once, kept for the owner alone, and the same at the next start', () => {
    const config = { ...makeConfig({}), dataDir: folder() };
    const first = loadSecrets(config);
    expect(loadSecrets(config)).toEqual(first);
    expect(first.encryptionSecret.length).toBeGreaterThanOrEqual(32);
    expect(new Set(Object.values(first)).size).toBe(3);
    expect(statSync(join(config.dataDir, 'secrets', 'encryption-secret')).mode & 0o777).toBe(0o600);
  });

  it('give way to the environment', () => {
    const config = { ...makeConfig({ API_KEY: 'k'.repeat(40) }), dataDir: folder() };
    expect(loadSecrets(config).apiKey).toBe('k'.repeat(40));
  });
});
