import { type InputProblem, InvalidInputError } from '../core/errors.ts';

/** Where the next page of a list starts, as clients hold it: opaque to them. */
export function encodeCursor(after: string): string {
  return Buffer.from(`1:${after}`).toString('base64url');
}

/**
 * What `encodeCursor` was given.
 * @throws InvalidInputError when the cursor does not come from this list (`isOurs` judges its content).
 */
export function decodeCursor(cursor: string | undefined, isOurs: (after: string) => boolean): string | null {
  if (cursor === undefined) return null;
  const text = Buffer.from(cursor, 'base64url').toString();
  const after = text.slice(2);
  if (text.startsWith('1:') && isOurs(after)) return after;
  const problem: InputProblem = {
    pointer: '/cursor',
    detail: 'is not a cursor of this list. Take `nextCursor` of the page before, unchanged, or leave it out.',
  };
  throw new InvalidInputError(`The query is not valid. cursor: ${problem.detail}`, [problem]);
}

/** A page made of up to `limit` + 1 rows: the one too many tells that there is more. */
export function toPage<T>(rows: readonly T[], limit: number, idOf: (row: T) => string) {
  const data = rows.slice(0, limit);
  const last = rows.length > limit ? data.at(-1) : undefined;
  return { data, nextCursor: last === undefined ? null : encodeCursor(idOf(last)) };
}
