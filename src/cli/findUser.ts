import { UserNotFoundError } from '../access/decisions/errors.ts';
import type { App } from '../app.ts';

/** A user by id or e-mail address. @throws UserNotFoundError */
export async function findUser({ database }: App, text: string): Promise<{ readonly id: string }> {
  const user = await database.db
    .selectFrom('users')
    .select('id')
    .where((eb) => eb.or([eb('id', '=', text), eb(eb.fn<string>('lower', ['email']), '=', text.toLowerCase())]))
    .executeTakeFirst();
  if (user === undefined) throw new UserNotFoundError(text);
  return user;
}
