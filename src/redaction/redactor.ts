import type { JsonObject, JsonValue } from '../core/json.ts';
import { KnownSecrets, liveSecrets, REDACTED } from './knownSecrets.ts';
import { lowBytes } from './lowBytes.ts';
import { isSecretName } from './secretNames.ts';
import { hideRecognised } from './secretRules.ts';

/** What the program names things by: ids (`int_…`), actions and events (`integration.deleted`). */
const OWN_NAME = /^([a-z]{2,4}_[0-9a-hjkmnp-tv-z]{26}|[a-z][a-zA-Z_]{0,29}(\.[a-z][a-zA-Z_]{0,29}){1,3})$/;

/** Deeper than anything that is recorded. */
const MAX_DEPTH = 64;

/**
 * Takes secrets out of what is recorded, in logs and in the audit log alike: by the names of members, by what values
 * look like, and by the values that this process knows. The second line of defence: whoever records something leaves
 * them out.
 */
export class Redactor {
  readonly #known = new KnownSecrets();

  /** @param known values that are secret wherever they stand, beside all that the process has used */
  constructor(known: Iterable<string> = []) {
    for (const secret of known) this.#known.add(secret);
  }

  /** A copy without secrets. A member with a secret's name keeps its name and loses its value. */
  object(object: JsonObject, depth = 0): JsonObject {
    const members = Object.entries(object).filter(([, value]) => value !== undefined);
    return Object.fromEntries(
      members.map(([name, value]) => [this.text(name), isSecretName(name) ? hide(value) : this.#value(value, depth)]),
    );
  }

  text(text: string): string {
    const bytes = lowBytes(text);
    const shown = liveSecrets.hide(text, bytes);
    const hidden = this.#known.size === 0 ? shown : this.#known.hide(shown);
    return hidden === text && this.#known.size === 0 ? hideRecognised(text, bytes) : hideRecognised(hidden);
  }

  /**
   * The same of what is named by the program itself, whose own names stay as they are: else somebody could make the
   * name of an action, or an id, a credential, and hide by it what is done.
   */
  name(text: string): string {
    return isOwnName(text) ? text : this.text(text);
  }

  #value(value: JsonValue, depth: number): JsonValue {
    if (typeof value === 'string') return this.text(value);
    if (value === null || typeof value !== 'object') return value;
    if (depth >= MAX_DEPTH) return '[cut: nested too deep]';
    return Array.isArray(value) ? value.map((item) => this.#value(item, depth + 1)) : this.object(value, depth + 1);
  }
}

export function isOwnName(text: string): boolean {
  return OWN_NAME.test(text);
}

/** Whether it was set stays visible. */
function hide(value: JsonValue): JsonValue {
  return value === null || typeof value === 'boolean' ? value : REDACTED;
}
