import type { Permission } from '../permissions.ts';
import type { Decision, IntegrationRef } from '../types.ts';
import type { Scope } from './scope.ts';

/** A grant, deny or break-glass, ready to decide with. */
export interface Rule {
  readonly permissions: ReadonlySet<Permission>;
  readonly scope: Scope;
  /** Infinity: it stays. */
  readonly expiresAtMs: number;
  /** What it decides, made once. */
  readonly decision: Decision;
}

/** The rules of one kind that one user has, found by what they are about. */
export class RuleIndex {
  readonly #all: Rule[] = [];
  readonly #integrations = new Map<string, Rule[]>();
  readonly #platforms = new Map<string, Rule[]>();
  readonly #owners = new Map<string, Rule[]>();

  add(rule: Rule): void {
    const { scope } = rule;
    if (scope.kind === 'all') this.#all.push(rule);
    else if (scope.kind === 'integration') push(this.#integrations, scope.value, rule);
    else if (scope.kind === 'platform') push(this.#platforms, scope.value, rule);
    else push(this.#owners, scope.value, rule);
  }

  /** The first rule about this integration; null: about the whole, which rules limited to some say nothing about. */
  find(permission: Permission, integration: IntegrationRef | null, nowMs: number): Rule | undefined {
    const found = firstOf(this.#all, permission, nowMs);
    if (found !== undefined || integration === null) return found;
    return (
      firstOf(this.#integrations.get(integration.id), permission, nowMs) ??
      firstOf(this.#owners.get(integration.owner), permission, nowMs) ??
      firstOf(this.#platforms.get(integration.platform), permission, nowMs)
    );
  }

  /** Every rule that counts at `nowMs`, whatever it is limited to. */
  *counting(permission: Permission, nowMs: number): Generator<Rule> {
    for (const rules of this.#lists())
      for (const rule of rules) if (rule.expiresAtMs > nowMs && rule.permissions.has(permission)) yield rule;
  }

  /** Every rule that counts at `nowMs`, whatever it allows. */
  *live(nowMs: number): Generator<Rule> {
    for (const rules of this.#lists()) for (const rule of rules) if (rule.expiresAtMs > nowMs) yield rule;
  }

  *#lists(): Generator<Rule[]> {
    yield this.#all;
    yield* this.#integrations.values();
    yield* this.#owners.values();
    yield* this.#platforms.values();
  }
}

/** For users who have none. Never added to. */
export const NO_RULES = new RuleIndex();

function firstOf(rules: readonly Rule[] | undefined, permission: Permission, nowMs: number): Rule | undefined {
  if (rules === undefined) return undefined;
  for (const rule of rules) if (rule.expiresAtMs > nowMs && rule.permissions.has(permission)) return rule;
  return undefined;
}

function push(map: Map<string, Rule[]>, key: string, rule: Rule): void {
  const rules = map.get(key);
  if (rules === undefined) map.set(key, [rule]);
  else rules.push(rule);
}
