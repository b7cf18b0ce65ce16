import { type RawBuilder, sql } from 'kysely';
import { type Muter, type Mutes, NO_MUTES } from './muting.ts';
import type { Labels } from './types.ts';

/** What keeps an alert from being told of, or from being told again. None of it stops its evaluation. */
export interface AlertFlags extends Mutes {
  readonly acknowledgement: {
    readonly author: string;
    readonly comment: string;
    /** ISO 8601. */
    readonly at: string;
    /** ISO 8601; null: until it is resolved. */
    readonly until: string | null;
  } | null;
}

/** Columns of `acknowledgementOf`. */
export interface AcknowledgementRow {
  readonly author: string | null;
  readonly comment: string | null;
  readonly acknowledged_at: Date | null;
  readonly until: Date | null;
}

export const ACKNOWLEDGEMENT_COLUMNS = sql`k.author, k.comment, k.acknowledged_at, k.until`;

/** Joins the acknowledgement that counts now, of the alert that the expression names. */
export function joinAcknowledgement(alertKey: RawBuilder<unknown>, nowMs: number): RawBuilder<unknown> {
  return sql`
    left join alert_acknowledgements k
      on k.alert_key = ${alertKey} and (k.until is null or k.until > ${new Date(nowMs)})`;
}

/** The flags of an alert by the labels under which it is told of; null: it is not one to be told of. */
export function flagsOf(muter: Muter, labels: Labels | null, row: AcknowledgementRow): AlertFlags {
  return {
    ...(labels === null ? NO_MUTES : muter.mutesOf(labels)),
    acknowledgement:
      row.acknowledged_at === null
        ? null
        : {
            author: row.author!,
            comment: row.comment!,
            at: row.acknowledged_at.toISOString(),
            until: row.until?.toISOString() ?? null,
          },
  };
}
