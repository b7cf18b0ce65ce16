// Writes docs/schema.sql: what all migrations together make, read back from a fresh database.
//
//   node scripts/dumpSchema.ts            writes it
//   node scripts/dumpSchema.ts --check    fails when it is not up to date

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type pg from 'pg';
import { openDatabase } from '../src/store/database.ts';

export const SCHEMA_FILE = fileURLToPath(new URL('../docs/schema.sql', import.meta.url));

// Each gives rows of (name, text) for what lies in the schema `public`. Partitions are left out: jobs make them.
const TABLES = `
  select relation.relname as name, format(
    E'create %stable %I (\\n%s\\n)%s%s;', case relation.relpersistence when 'u' then 'unlogged ' end, relation.relname, string_agg('  ' || line.text, E',\\n' order by line.rank),
    ' partition by ' || pg_get_partkeydef(relation.oid),
    ' with (' || array_to_string(relation.reloptions, ', ') || ')'
  ) as text
  from pg_class relation
  cross join lateral (
    select attnum::int as rank, concat_ws(' ', quote_ident(attname), format_type(atttypid, atttypmod),
      case when attnotnull then 'not null' end, 'default ' || pg_get_expr(adbin, adrelid)) as text
    from pg_attribute left join pg_attrdef on adrelid = attrelid and adnum = attnum
    where attrelid = relation.oid and attnum > 0 and not attisdropped
    union all
    select 10000 + row_number() over (order by contype desc, conname)::int,
      format('constraint %I %s', conname, pg_get_constraintdef(oid))
    from pg_constraint where conrelid = relation.oid and contype <> 'n'
  ) line
  where relation.relnamespace = 'public'::regnamespace and relation.relkind in ('r', 'p') and not relation.relispartition
  group by relation.oid, relation.relname, relation.relpersistence, relation.reloptions`;
const INDEXES = `
  select relation.relname as name, pg_get_indexdef(indexrelid) || ';' as text
  from pg_index join pg_class relation on relation.oid = indexrelid join pg_class owner on owner.oid = indrelid
  where relation.relnamespace = 'public'::regnamespace and not owner.relispartition
    and not exists (select from pg_constraint where conindid = indexrelid)`;
const SEQUENCES = `
  select sequencename as name, format('create sequence %I;', sequencename) as text
  from pg_sequences where schemaname = 'public'`;
const FUNCTIONS = `
  select proname as name, pg_get_functiondef(oid) || ';' as text from pg_proc where pronamespace = 'public'::regnamespace`;
const TRIGGERS = `
  select tgname as name, pg_get_triggerdef(pg_trigger.oid) || ';' || case tgenabled when 'A' then
    format(E'\\nalter table %I enable always trigger %I;', relation.relname, tgname) else '' end as text
  from pg_trigger join pg_class relation on relation.oid = tgrelid
  where not tgisinternal and relation.relnamespace = 'public'::regnamespace and not relation.relispartition`;
const VIEWS = `
  select viewname as name, format(E'create view %I as\\n%s', viewname, definition) as text
  from pg_views where schemaname = 'public'`;

/** The schema as SQL, the same for the same migrations on every supported version of PostgreSQL. */
export async function dumpSchema(pool: pg.Pool): Promise<string> {
  const parts = ['-- Made by scripts/dumpSchema.ts from migrations/; not to be edited.'];
  for (const query of [SEQUENCES, FUNCTIONS, TABLES, INDEXES, TRIGGERS, VIEWS]) {
    const { rows } = await pool.query<{ text: string }>(`select text from (${query}) parts order by name collate "C"`);
    parts.push(...rows.map((row) => row.text));
  }
  return `${parts.join('\n\n')}\n`;
}

async function main(): Promise<void> {
  const dataDir = await mkdtemp(join(tmpdir(), 'integration-services-schema-'));
  const database = await openDatabase({ url: null, dataDir });
  const dump = await dumpSchema(database.pool).finally(() => database.close());
  await rm(dataDir, { recursive: true });
  if (!process.argv.includes('--check')) return writeFile(SCHEMA_FILE, dump);
  if ((await readFile(SCHEMA_FILE, 'utf8')) === dump) return;
  console.error('docs/schema.sql is not what the migrations make. Run: node scripts/dumpSchema.ts');
  process.exitCode = 1;
}

if (import.meta.main) await main();
