import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openTestApp } from '../support/app.ts';
import { useTestDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { startProgram } from '../support/processes.ts';

const database = useTestDatabase();
const ROUNDS = 4;

it('nothing that log() acknowledged is lost by kill -9, and nothing is stored twice', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'integration-services-test-'));
  const acknowledged = new Map<string, number[]>();
  for (let round = 0; round < ROUNDS; round++) {
    const scope = `int-killed-${round}`;
    const program = startProgram('logging/fixtures/loggingProcess.ts', [database.url, dataDir, scope]);
    await program.line('started');
    // At another moment each round: while it writes the journal, while it loads.
    await program.line(`kept ${200 + round * 137}`);
    await program.kill();
    const kept = program.lines.flatMap((line) => /^kept (\d+)$/.exec(line)?.[1] ?? []).map(Number);
    acknowledged.set(scope, kept);
  }
  const app = await openTestApp(database.url, { workers: false, environment: { DATA_DIR: dataDir } });
  try {
    await eventually(
      'the journals of the killed are loaded',
      () => readdirSync(join(dataDir, 'logs', 'journals')).length === 0,
    );
  } finally {
    await app.close();
  }
  const { pool } = database.current;
  for (const [scope, kept] of acknowledged) {
    const { rows } = await pool.query<{ index: number }>(
      `select (attributes->>'index')::int as index from logs where integration_id = $1`,
      [scope],
    );
    const stored = new Set(rows.map(({ index }) => index));
    expect(stored.size).toBe(rows.length);
    expect(kept.filter((index) => !stored.has(index))).toEqual([]);
  }
  const { rows } = await pool.query<{ seq: number }>('select seq from logs order by seq');
  expect(rows.map(({ seq }) => seq)).toEqual(rows.map((_, index) => rows[0]!.seq + index));
  rmSync(dataDir, { recursive: true, force: true });
}, 120_000);
