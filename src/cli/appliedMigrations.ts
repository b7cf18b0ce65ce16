import type { Pool } from 'pg';

export interface AppliedMigration {
  readonly name: string;
  readonly sha256: string;
  readonly appliedAt: Date;
}

/** In order; none in a database that was never migrated. */
export async function readAppliedMigrations(pool: Pool): Promise<AppliedMigration[]> {
  const { rows: found } = await pool.query<{ table: string | null }>(
    `select to_regclass('schema_migrations')::text as table`,
  );
  if (found[0]?.table == null) return [];
  const { rows } = await pool.query<AppliedMigration>(
    'select name, sha256, applied_at as "appliedAt" from schema_migrations order by version',
  );
  return rows;
}
