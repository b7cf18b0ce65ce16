import type { App } from '../../../src/app.ts';
import { addUser, OPERATOR } from './people.ts';

/** What is sent along with a request to be somebody. */
export type Headers = Readonly<Record<string, string>>;

/** A user of a real app, by every way in. */
export interface Member {
  readonly id: string;
  readonly role: string;
  /** An API key that is limited by nothing. */
  readonly apiKeyId: string;
  readonly key: string;
  /** Headers with the API key. */
  readonly asKey: Headers;
  /** Begins a session; its cookie and the token that changes take. */
  begin(): Promise<{ readonly sessionId: string; readonly headers: Headers }>;
}

/** A user with this role, which counts from now on. */
export async function addMember(app: App, role: string): Promise<Member> {
  const id = await addUser(app.database, role);
  await app.access.map.refresh();
  const { key, apiKey } = await app.access.apiKeys.create({ principal: OPERATOR }, id, { name: role });
  return {
    id,
    role,
    apiKeyId: apiKey.id,
    key,
    asKey: { authorization: `Bearer ${key}` },
    async begin() {
      const { sessions } = app.access.accounts;
      const begun = await app.database.transaction((tx) => sessions.begin(tx, id, {}));
      const cookie = `is_session=${encodeURIComponent(begun.setCookie!)}`;
      return { sessionId: begun.principal.sessionId, headers: { cookie, 'x-csrf-token': begun.csrfToken } };
    },
  };
}
