import { z } from 'zod';
import type { IntegrationRef } from '../types.ts';

/** What a rule is about: every integration and the installation as a whole, or the integrations of one kind. */
export type Scope =
  | { readonly kind: 'all' }
  | { readonly kind: 'integration' | 'platform' | 'owner'; readonly value: string };

/** Ids, platforms and owners as they are stored with integrations. */
const value = z
  .string()
  .min(1)
  .max(200)
  .regex(/^\P{Cc}*$/u, 'takes text without control characters');

export const scopeSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('all') }),
  z.strictObject({ kind: z.enum(['integration', 'platform', 'owner']), value }),
]);

/** Whether a rule of this scope counts for the integration; null: for a question about the whole. */
function covers(scope: Scope, integration: IntegrationRef | null): boolean {
  if (scope.kind === 'all') return true;
  if (integration === null) return false;
  return scope.value === namedValue(integration, scope.kind);
}

/**
 * Whether everything in `part` is also in `whole`. `integration` is the one that `part` names, when it names one:
 * it may be covered by its owner or platform.
 */
export function contains(whole: Scope, part: Scope, integration: IntegrationRef | null): boolean {
  if (part.kind === 'integration' && integration !== null) return covers(whole, integration);
  return whole.kind === 'all' || (part.kind === whole.kind && part.value === whole.value);
}

/** Whether an integration may exist that is in both. */
export function mayOverlap(one: Scope, other: Scope, integration: IntegrationRef | null): boolean {
  if (other.kind === 'integration' && integration !== null) return covers(one, integration);
  if (one.kind === 'all' || other.kind === 'all' || one.kind !== other.kind) return true;
  return one.value === other.value;
}

/** A scope as the tables hold it. */
export function toScope(kind: Scope['kind'], text: string | null): Scope {
  return kind === 'all' ? { kind } : { kind, value: text ?? '' };
}

/** In words, after "on". */
export function describeScope(scope: Scope): string {
  return scope.kind === 'all' ? 'everything' : `${scope.kind} ${scope.value}`;
}

function namedValue(integration: IntegrationRef, kind: 'integration' | 'platform' | 'owner'): string {
  return kind === 'integration' ? integration.id : integration[kind];
}
