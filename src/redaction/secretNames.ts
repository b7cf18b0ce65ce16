const SECRET_NAME =
  /pass(word|wd|phrase|code)|secret|token|authorization|cookie|credential|api_?-?key|access_?-?key|private_?-?key|assertion|signature|totp|otp\b|recovery_?-?code|sealed|envelope/i;
/** Names that begin alike and only tell about a secret: `tokenUrl`, `apiKeyId`, `secretChangedAt`, `tokenCount`. */
const ABOUT_A_SECRET = /(Ids?|At|Url|Uri|Count|Names?|Fields|Kind|Type|Version|Ms|Seconds|Prefix|Required|Enabled)$/;

const MAX_REMEMBERED = 2_000;
const remembered = new Map<string, boolean>();

/** Whether a member of this name is taken to hold a secret. */
export function isSecretName(name: string): boolean {
  const known = remembered.get(name);
  if (known !== undefined) return known;
  const isSecret = SECRET_NAME.test(name) && !ABOUT_A_SECRET.test(name);
  // Names are few and come again and again, unless somebody makes them up.
  if (remembered.size >= MAX_REMEMBERED) remembered.clear();
  if (name.length <= 100) remembered.set(name, isSecret);
  return isSecret;
}

/** Words of which one is in every such name, for whoever looks whether a text may hold one. */
export const SECRET_WORDS = [
  'pass',
  'secret',
  'token',
  'auth',
  'cookie',
  'credential',
  'key',
  'assertion',
  'signature',
  'otp',
  'recovery',
  'sealed',
  'envelope',
] as const;
