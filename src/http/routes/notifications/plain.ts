import type { StoredPolicy } from '../../../monitoring/notifications/policyQueries.ts';

/** What is read-only inside, as the answers' schemas take it: the same JSON. */
export function plain<T>(value: T): Mutable<T> {
  return structuredClone(value) as Mutable<T>;
}

/** `continue` is a word of the language, so inside it is called otherwise. */
export function policyOf({ goOn, ...policy }: StoredPolicy) {
  return plain({ ...policy, continue: goOn });
}

type Mutable<T> = T extends readonly (infer E)[]
  ? Mutable<E>[]
  : T extends object
    ? { -readonly [K in keyof T]: Mutable<T[K]> }
    : T;
