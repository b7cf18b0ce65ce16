import { z } from 'zod';

export const LOG_LEVELS = ['debug', 'verbose', 'info', 'warn', 'error', 'critical'] as const;
export const DAY_MS = 86_400_000;

const boolean = z
  .string()
  .transform((text) => text.toLowerCase())
  .pipe(z.enum(['true', 'false', '1', '0', 'yes', 'no', 'on', 'off']))
  .transform((text) => ['true', '1', 'yes', 'on'].includes(text));

const integer = (minimum: number, maximum: number) =>
  z.string().regex(/^\d+$/).transform(Number).pipe(z.number().min(minimum).max(maximum));

const percent = z
  .string()
  .regex(/^\d+(\.\d+)?$/)
  .transform(Number)
  .pipe(z.number().max(100));

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

/** Every variable: how it is read, and the words that say what it takes. */
export const VARIABLES = {
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
  METRICS_RETENTION_DAYS: [integer(1, 365), 'a number of days from 1 to 365'],
  ALERT_RESPONSE_TIME: [integer(1, DAY_MS), 'milliseconds from 1 to 86400000'],
  ALERT_ERROR_RATE: [percent.refine((value) => value > 0), 'a percentage above 0 and up to 100, such as 5'],
  ALERT_SUCCESS_RATE: [percent.refine((value) => value < 100), 'a percentage from 0 and below 100, such as 95'],
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
  METRICS_INTEGRATION_SERIES: [integer(0, 1_000), 'a number of integrations from 0 to 1000'],
  AUDIT_CHECKPOINT_WEBHOOK: [url('http:', 'https:'), 'an http or https address that takes POST requests'],
} as const satisfies Record<string, readonly [z.ZodType, string]>;

type VariableName = keyof typeof VARIABLES;
/** The values of those that are set. */
export type ParsedVariables = { [N in VariableName]?: z.output<(typeof VARIABLES)[N][0]> };

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

/** What was given, as an error may tell it. */
export function describe(name: string, text: string): string {
  if (SECRET_VARIABLES.has(name)) return `a value of ${text.trim().length} characters (not shown)`;
  return JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}…` : text);
}
