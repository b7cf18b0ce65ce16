import type { Command } from 'commander';
import type { Pool } from 'pg';
import { readAppliedMigrations } from '../appliedMigrations.ts';
import { command, type Invocation } from '../command.ts';
import { commandLog } from '../openApp.ts';

interface Options {
  readonly status?: boolean;
}

export function migrate(): Command {
  return command<Options>('migrate', 'Bring the database to the newest migration', async (invocation) => {
    const { environment, options } = invocation;
    const [{ makeConfig }, { openDatabase }] = await Promise.all([
      import('../../config/config.ts'),
      import('../../store/database.ts'),
    ]);
    const config = makeConfig(environment);
    const log = commandLog(config, environment);
    const database = await openDatabase({
      url: config.databaseUrl,
      dataDir: config.dataDir,
      attach: true,
      migrate: false,
      log: (line) => log.info(line),
    });
    try {
      if (options.status) await status(database.pool, invocation);
      else await apply(database.pool, invocation);
    } finally {
      await database.close();
    }
  }).option('--status', 'only show what is applied');
}

async function apply(pool: Pool, { out }: Invocation<Options>): Promise<void> {
  const migrations = await import('../../store/migrate.ts');
  const applied = await migrations.migrate(pool);
  if (out.json) return out.data({ applied });
  for (const name of applied) out.line(`applied ${name}`);
  if (applied.length === 0) out.say('The database is up to date; nothing was applied.');
}

async function status(pool: Pool, { out }: Invocation<Options>): Promise<void> {
  const { readMigrations } = await import('../../store/migrate.ts');
  const appliedAt = new Map((await readAppliedMigrations(pool)).map((one) => [one.name, one.appliedAt]));
  const migrations = (await readMigrations()).map(({ name }) => ({
    name,
    appliedAt: appliedAt.get(name)?.toISOString() ?? null,
  }));
  if (out.json) return out.data(migrations);
  out.table(
    ['MIGRATION', 'APPLIED'],
    migrations.map((one) => [one.name, one.appliedAt ?? 'not yet']),
  );
}
