import { liveSecrets } from './knownSecrets.ts';
import { isSecretName } from './secretNames.ts';

/** A user, an account, a region, a mailbox or a host: of a name that says nothing of secrets, they are none. */
const NAME_LIKE = /^([A-Za-z]{1,20}|[\w.+-]{1,64}@[\w.-]{1,200}|(https?:\/\/)?[\w-]{1,63}(\.[\w-]{1,63}){1,8}\/?)$/;
const MAX_DEPTH = 8;
const MAX_VALUES = 200;

/**
 * Has every text in `value` hidden from now on in all that this process records: what was sealed or opened. Left out
 * are texts that look like names and are not called secrets, because hiding "production" or an e-mail address
 * everywhere would take more than it gives.
 */
export function learnSecrets(value: unknown): void {
  let left = MAX_VALUES;
  const learn = (part: unknown, name: string | null, depth: number): void => {
    if (typeof part === 'string') {
      if (left-- > 0 && (name === null || isSecretName(name) || !NAME_LIKE.test(part))) liveSecrets.add(part);
    } else if (typeof part === 'object' && part !== null && depth < MAX_DEPTH) {
      for (const [key, inner] of Object.entries(part)) learn(inner, Array.isArray(part) ? name : key, depth + 1);
    }
  };
  learn(value, null, 0);
}

/** The same of an address: only its password, and parts of its query that are called secrets. */
export function learnSecretsOfUrl(text: string): void {
  if (!URL.canParse(text)) return;
  const url = new URL(text);
  if (url.password !== '') {
    liveSecrets.add(url.password);
    try {
      liveSecrets.add(decodeURIComponent(url.password));
    } catch {
      // Not encoded, so it is as it was.
    }
  }
  for (const [name, value] of url.searchParams) if (isSecretName(name)) liveSecrets.add(value);
}
