import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import type { Environment } from './env.ts';
import { ConfigurationError, type ConfigurationProblem } from './errors.ts';

const LOG_LEVELS = ['debug', 'verbose', 'info', 'warn', 'error', 'critical'] as const;

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
}

const boolean = z
  .string()
  .transform((text) => text.toLowerCase())
  .pipe(z.enum(['true', 'false', '1', '0', 'yes', 'no', 'on', 'off']))
  .transform((text) => ['true', '1', 'yes', 'on'].includes(text));

const integer = (minimum: number, maximum: number) =>
  z.string().regex(/^\d+$/).transform(Number).pipe(z.number().min(minimum).max(maximum));

const url = (...protocols: string[]) =>
  z.string().refine((text) => URL.canParse(text) && protocols.includes(new URL(text).protocol));

/** Commas between the entries. */
const list = <T extends z.ZodType<string, string>>(entry: T) =>
  z
    .string()
    .transform((text) =>
      text
        .split(',')
        .map((part) => part.trim())
        .filter(Boolean),
    )
    .pipe(z.array(entry));

const secret = z.string().min(32);
const DAY_MS = 86_400_000;

/** Every variable: how it is read, and the words that say what it takes. */
const VARIABLES = {
  NODE_ENV: [z.enum(['development', 'production', 'test']), 'development, production or test'],
  HOST: [z.string().regex(/^[\w.:-]+$/), 'a host name or an address to listen on, such as 127.0.0.1 or 0.0.0.0'],
  PORT: [integer(0, 65_535), 'a port from 0 (any free one) to 65535'],
  PUBLIC_URL: [url('http:', 'https:'), 'an http or https address, such as https://integrations.example.com'],
  DATA_DIR: [z.string(), 'a folder that the server may write to'],
  DATABASE_URL: [
    url('postgres:', 'postgresql:'),
    'a PostgreSQL connection string, such as postgresql://user:password@host:5432/database',
  ],
  REDIS_URL: [url('redis:', 'rediss:'), 'a Redis or Valkey address, such as redis://localhost:6379'],
  VITE_STACK_PROJECT_ID: [z.string(), 'the project id of Stack Auth'],
  VITE_STACK_PUBLISHABLE_CLIENT_KEY: [z.string(), 'the publishable client key of Stack Auth'],
  STACK_SECRET_SERVER_KEY: [z.string(), 'the secret server key of Stack Auth'],
  STACK_AUTH_ISSUERS: [
    list(url('http:', 'https:').transform((text) => text.replace(/\/+$/, ''))),
    'http or https addresses with commas between them, such as https://api.stack-auth.com',
  ],
  ENCRYPTION_SECRET: [secret, 'a secret of at least 32 characters, such as the output of "openssl rand -base64 48"'],
  JWT_SECRET: [secret, 'a secret of at least 32 characters, such as the output of "openssl rand -base64 48"'],
  API_KEY: [
    z.string().regex(/^[\x21-\x7e]{32,}$/),
    'a key of at least 32 printable characters without spaces, such as the output of "openssl rand -hex 32"',
  ],
  SMTP_URL: [
    url('smtp:', 'smtps:'),
    'the address of a mail server, such as smtps://user:password@mail.example.com or smtp://localhost:25',
  ],
  SMTP_FROM: [
    z.string().regex(/^[^\p{Cc}@]*<?[^\s@<>]+@[^\s@<>]+>?$/u),
    'whom e-mails come from, such as Integrations <integrations@example.com>',
  ],
  LOG_LEVEL: [
    z
      .string()
      .transform((text) => text.toLowerCase())
      .pipe(z.enum(LOG_LEVELS)),
    LOG_LEVELS.join(', '),
  ],
  LOG_SPILL_MB: [integer(1, 100_000), 'megabytes from 1 to 100000'],
  LOG_ARCHIVE: [
    z.string().regex(/^(s3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](\/.*)?|(?!s3:).+)$/),
    'a folder, or a bucket such as s3://my-logs/integration-services',
  ],
  LOG_ARCHIVE_ENDPOINT: [url('http:', 'https:'), 'the http or https address of a store that speaks S3'],
  MONITORING_ENABLED: [boolean, 'true or false'],
  PERFORMANCE_MONITORING_ENABLED: [boolean, 'true or false'],
  SECURITY_MONITORING_ENABLED: [boolean, 'true or false'],
  API_RATE_LIMIT: [integer(1, 10_000_000), 'a number of requests a minute from 1 to 10000000'],
  DEFAULT_RATE_LIMIT: [integer(1, 1_000_000), 'a number of requests from 1 to 1000000'],
  RATE_LIMIT_WINDOW: [integer(1_000, DAY_MS), 'milliseconds from 1000 to 86400000'],
  VULNERABILITY_SCAN_INTERVAL: [integer(60_000, 30 * DAY_MS), 'milliseconds from 60000 to 2592000000'],
  TRUSTED_PROXIES: [
    list(z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()])),
    'addresses or ranges with commas between them, such as 10.0.0.0/8',
  ],
  ALLOWED_PRIVATE_HOSTS: [
    list(z.string().regex(/^[\w.:[\]*-]+(\/\d{1,3})?$/)),
    'host names, addresses or CIDR ranges with commas between them, such as 10.1.0.0/16,crm.internal',
  ],
  AUDIT_CHECKPOINT_WEBHOOK: [url('http:', 'https:'), 'an http or https address that takes POST requests'],
} as const satisfies Record<string, readonly [z.ZodType, string]>;

type VariableName = keyof typeof VARIABLES;
type Parsed = { [N in VariableName]?: z.output<(typeof VARIABLES)[N][0]> };

/** Names the documentation lists; a test compares. */
export const VARIABLE_NAMES = Object.keys(VARIABLES) as readonly VariableName[];

const SECRET_VARIABLES: ReadonlySet<string> = new Set([
  'STACK_SECRET_SERVER_KEY',
  'ENCRYPTION_SECRET',
  'JWT_SECRET',
  'API_KEY',
  'DATABASE_URL',
  'REDIS_URL',
  'AUDIT_CHECKPOINT_WEBHOOK',
  'SMTP_URL',
]);

/**
 * Makes the configuration of the variables.
 * @throws ConfigurationError listing every problem at once: the variable, what it got, what it takes.
 */
export function makeConfig(environment: Environment): Config {
  const problems: ConfigurationProblem[] = [];
  const parsed: Parsed = {};
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
    securityMonitoringEnabled: parsed.SECURITY_MONITORING_ENABLED ?? true,
    vulnerabilityScanIntervalMs: parsed.VULNERABILITY_SCAN_INTERVAL ?? DAY_MS,
    defaultRateLimit: { maxRequests: parsed.DEFAULT_RATE_LIMIT ?? 100, windowMs: parsed.RATE_LIMIT_WINDOW ?? 60_000 },
    apiRateLimit: parsed.API_RATE_LIMIT ?? 1_200,
    trustedProxies: parsed.TRUSTED_PROXIES ?? [],
    allowedPrivateHosts: parsed.ALLOWED_PRIVATE_HOSTS ?? [],
    auditCheckpointWebhook: parsed.AUDIT_CHECKPOINT_WEBHOOK ?? null,
  };
}

function crossCheck(environment: Environment, parsed: Parsed): ConfigurationProblem[] {
  const problems: ConfigurationProblem[] = [];
  const stack = ['VITE_STACK_PROJECT_ID', 'VITE_STACK_PUBLISHABLE_CLIENT_KEY', 'STACK_SECRET_SERVER_KEY'];
  const set = stack.filter((name) => environment[name] !== undefined);
  if (set.length > 0 && set.length < stack.length) {
    for (const name of stack.filter((one) => !set.includes(one))) {
      problems.push({
        variable: name,
        got: 'nothing',
        takes: `a value, because ${set.join(' and ')} is set: Stack Auth needs all three`,
      });
    }
  }
  if ((environment.SMTP_URL === undefined) !== (environment.SMTP_FROM === undefined)) {
    const name = environment.SMTP_URL === undefined ? 'SMTP_URL' : 'SMTP_FROM';
    problems.push({
      variable: name,
      got: 'nothing',
      takes: `${VARIABLES[name][1]}; SMTP_URL and SMTP_FROM go together`,
    });
  }
  if (parsed.NODE_ENV === 'production') {
    for (const name of ['ENCRYPTION_SECRET', 'JWT_SECRET', 'API_KEY'] as const) {
      if (environment[name] === undefined) {
        problems.push({
          variable: name,
          got: 'nothing',
          takes: `${VARIABLES[name][1]}; required with NODE_ENV=production`,
        });
      }
    }
    if (parsed.JWT_SECRET !== undefined && parsed.JWT_SECRET === parsed.ENCRYPTION_SECRET) {
      problems.push({ variable: 'JWT_SECRET', got: 'the value of ENCRYPTION_SECRET', takes: 'a secret of its own' });
    }
  }
  return problems;
}

function describe(name: string, text: string): string {
  if (SECRET_VARIABLES.has(name)) return `a value of ${text.trim().length} characters (not shown)`;
  return JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}…` : text);
}

/** For root below /var/lib, because the embedded server runs as another user, who must reach it; else in the home. */
function defaultDataDir(environment: Environment): string {
  if (process.getuid?.() === 0) return '/var/lib/integration-services';
  return join(environment.XDG_DATA_HOME ?? join(homedir(), '.local', 'share'), 'integration-services');
}
