import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../../config/config.ts';
import { loadSecrets } from '../../config/secrets.ts';
import { errorMessage } from '../../core/errors.ts';
import { EncryptionSecretMismatchError } from '../../credentials/errors.ts';
import { InstallationKeys } from '../../credentials/installationKeys.ts';
import { type Database, openDatabase } from '../../store/database.ts';
import { readMigrations } from '../../store/migrate.ts';
import { readAppliedMigrations } from '../appliedMigrations.ts';
import { type Finding, fail, pass, warn } from './finding.ts';

const CLOCK_WARN_MS = 2_000;
const CLOCK_FAIL_MS = 60_000;

/** The database and what is in it; changes nothing. */
export async function checkDatabase(config: Config): Promise<Finding[]> {
  const check = 'database';
  if (config.databaseUrl === null && !existsSync(join(config.dataDir, 'postgres', 'data')))
    return [pass(check, 'the embedded PostgreSQL, made at the first start')];
  let database: Database;
  try {
    database = await openDatabase({ url: config.databaseUrl, dataDir: config.dataDir, attach: true, migrate: false });
  } catch (error) {
    return [fail(check, errorMessage(error), 'Mend what it says, or set DATABASE_URL to a PostgreSQL server.')];
  }
  try {
    const reached = await checkServer(config, database);
    const migrations = await checkMigrations(database);
    return [...reached, migrations, ...(migrations.state === 'pass' ? [await checkSecret(config, database)] : [])];
  } catch (error) {
    return [fail(check, errorMessage(error), 'See that the server runs and that DATABASE_URL leads to it.')];
  } finally {
    await database.close();
  }
}

async function checkServer({ databaseUrl }: Config, { pool }: Database): Promise<Finding[]> {
  const startedMs = performance.now();
  const { rows } = await pool.query<{ version: string; number: number; now: Date }>(
    `select current_setting('server_version') as version, current_setting('server_version_num')::int as number, clock_timestamp() as now`,
  );
  const tookMs = performance.now() - startedMs;
  const { version, number, now } = rows[0]!;
  const where = databaseUrl === null ? 'embedded' : new URL(databaseUrl).host;
  const observed = `PostgreSQL ${version} (${where}), ${tookMs.toFixed(0)} ms`;
  return [
    number >= 150_000
      ? pass('database', observed)
      : fail('database', observed, 'PostgreSQL 15 or newer is needed; upgrade the server or unset DATABASE_URL.'),
    // The answer was on its way for up to tookMs.
    checkClock(Math.max(0, Math.abs(now.getTime() - Date.now()) - tookMs)),
  ];
}

function checkClock(offMs: number): Finding {
  const observed = `${(offMs / 1000).toFixed(1)} s from the database's`;
  const advice = 'Synchronise the clocks (NTP): schedules and leases compare times of both machines.';
  if (offMs >= CLOCK_FAIL_MS) return fail('clock', observed, advice);
  return offMs >= CLOCK_WARN_MS ? warn('clock', observed, advice) : pass('clock', observed);
}

async function checkMigrations({ pool }: Database): Promise<Finding> {
  const applied = await readAppliedMigrations(pool);
  const known = await readMigrations();
  const stranger = applied.find(({ name, sha256 }, at) => known[at]?.name !== name || known[at]?.sha256 !== sha256);
  if (stranger !== undefined)
    return fail(
      'migrations',
      `${stranger.name} is not as this version has it`,
      'Run the version that applied it, or a newer one; restore an edited migration file.',
    );
  const missing = known.slice(applied.length);
  if (missing.length === 0) return pass('migrations', `all ${known.length} applied`);
  return warn('migrations', `${missing.length} not applied yet`, 'The next start applies them; "migrate" does it now.');
}

/** Opening makes the first key where there is none, so it is not tried then. */
async function checkSecret(config: Config, database: Database): Promise<Finding> {
  const check = 'encryption secret';
  const key = await database.db.selectFrom('installation_keys').select('id').limit(1).executeTakeFirst();
  if (key === undefined) return pass(check, 'nothing is encrypted yet');
  try {
    await InstallationKeys.open(database, loadSecrets(config).encryptionSecret);
    return pass(check, 'opens the stored keys');
  } catch (error) {
    if (!(error instanceof EncryptionSecretMismatchError)) throw error;
    return fail(check, 'does not open the stored keys', errorMessage(error));
  }
}
