import type { ColumnType } from 'kysely';

/**
 * A jsonb column: read as parsed JSON, written as JSON text (`JSON.stringify(value)`), because the driver
 * would send a bare array as a PostgreSQL array.
 */
export type Json<T = unknown> = ColumnType<T, string, string>;
export type NullableJson<T = unknown> = ColumnType<T | null, string | null | undefined, string | null>;
export type GeneratedJson<T = unknown> = ColumnType<T, string | undefined, string>;
