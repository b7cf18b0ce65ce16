import type { JsonObject, JsonValue } from '../core/json.ts';

/** Stands where a secret was. */
const REDACTED = '[redacted]';

const SECRET_NAME =
  /pass(word|wd|phrase|code)|secret|token|authorization|cookie|credential|api_?-?key|private_?-?key|assertion|signature|totp|otp\b|recovery_?-?code|sealed|envelope/i;
/** Names that begin alike and only tell about a secret: `tokenUrl`, `apiKeyId`, `secretChangedAt`, `tokenCount`. */
const ABOUT_A_SECRET = /(Ids?|At|Url|Uri|Count|Names?|Fields|Kind|Type|Version|Ms|Seconds|Prefix|Required|Enabled)$/;
/** Values that are secret whatever they are called: private keys, authorization headers, JWTs, our own API keys. */
const SECRET_VALUE =
  /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(-----END [A-Z ]*PRIVATE KEY-----|$)|\b(Bearer|Basic) +[\w.~+/=-]{8,}|\beyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]*|\bisk_[\w-]{16,}/gi;

/** Deeper than anything that is recorded. */
const MAX_DEPTH = 64;

/** Whether a member of this name is taken to hold a secret. */
export function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name) && !ABOUT_A_SECRET.test(name);
}

/** Takes secrets out of what is recorded. The second line of defence: whoever records an event leaves them out. */
export class Redactor {
  readonly #known: readonly string[];

  /** @param known values that are secret wherever they stand; those under eight characters are not looked for */
  constructor(known: readonly string[] = []) {
    this.#known = known.filter((value) => value.length >= 8);
  }

  /** A copy without secrets. A member with a secret's name keeps its name and loses its value. */
  object(object: JsonObject, depth = 0): JsonObject {
    const members = Object.entries(object).filter(([, value]) => value !== undefined);
    return Object.fromEntries(
      members.map(([name, value]) => [this.text(name), isSecretName(name) ? hide(value) : this.#value(value, depth)]),
    );
  }

  text(text: string): string {
    let shown = text.replace(SECRET_VALUE, REDACTED);
    for (const value of this.#known) shown = shown.replaceAll(value, REDACTED);
    return shown;
  }

  #value(value: JsonValue, depth: number): JsonValue {
    if (typeof value === 'string') return this.text(value);
    if (value === null || typeof value !== 'object') return value;
    if (depth >= MAX_DEPTH) return '[cut: nested too deep]';
    return Array.isArray(value) ? value.map((item) => this.#value(item, depth + 1)) : this.object(value, depth + 1);
  }
}

/** Whether it was set stays visible. */
function hide(value: JsonValue): JsonValue {
  return value === null || typeof value === 'boolean' ? value : REDACTED;
}
