import { createHash } from 'node:crypto';
import { canonicalJson } from '../../core/canonicalJson.ts';
import { type Matcher, matchesAll } from './labelMatchers.ts';
import type { EscalationStep, GroupTiming, Labels } from './types.ts';

/** In `groupBy`: by all labels, so that every alert is a group of its own; Alertmanager's `...`. */
export const BY_ALL_LABELS = '...';

/** Which alerts go where, and how they are told together. */
export interface Policy extends GroupTiming {
  readonly id: string;
  readonly name: string;
  readonly matchers: readonly Matcher[];
  readonly groupBy: readonly string[];
  /** Whether the policies after it are looked at too. */
  readonly goOn: boolean;
  /** Null: every channel that is switched on. */
  readonly channels: readonly string[] | null;
  readonly fallbackChannel: string | null;
  readonly steps: readonly EscalationStep[];
}

/** Where an alert belongs. */
export interface Route {
  readonly policyId: string;
  readonly groupId: string;
  readonly groupLabels: Labels;
}

/** The first policy that matches, and those after it while each says `goOn`; Alertmanager's routes and `continue`. */
export function routesOf(labels: Labels, policies: readonly Policy[]): Route[] {
  const routes: Route[] = [];
  for (const policy of policies) {
    if (!matchesAll(policy.matchers, labels)) continue;
    const groupLabels = groupLabelsOf(labels, policy.groupBy);
    routes.push({ policyId: policy.id, groupId: groupIdOf(policy.id, groupLabels), groupLabels });
    if (!policy.goOn) break;
  }
  return routes;
}

function groupLabelsOf(labels: Labels, groupBy: readonly string[]): Labels {
  if (groupBy.includes(BY_ALL_LABELS)) return labels;
  return Object.fromEntries(groupBy.filter((name) => Object.hasOwn(labels, name)).map((name) => [name, labels[name]!]));
}

/** The same for the same labels, so that a group that comes again is known again: deduplication keys rest on it. */
function groupIdOf(policyId: string, groupLabels: Labels): string {
  const { text } = canonicalJson({ policyId, groupLabels });
  return `agr_${createHash('sha256').update(text).digest('hex').slice(0, 32)}`;
}
