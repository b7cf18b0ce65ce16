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
  /** Named by the rule in place of the policy's. */
  readonly channels: readonly string[] | null;
}

/** What a rule itself says of who is told. */
interface NamedReceivers {
  readonly policyId: string | null;
  readonly channelIds: readonly string[];
}

/**
 * The policy that the rule names, or the first one that matches, and those after it while each says `goOn`;
 * Alertmanager's routes and `continue`.
 */
export function routesOf(labels: Labels, named: NamedReceivers, policies: readonly Policy[]): Route[] {
  const channels = named.channelIds.length === 0 ? null : [...new Set(named.channelIds)].sort();
  const chosen = policies.find(({ id }) => id === named.policyId);
  const taking = chosen === undefined ? policiesFor(labels, policies) : [chosen];
  return taking.map(({ id: policyId, groupBy }) => {
    const groupLabels = groupLabelsOf(labels, groupBy);
    return { policyId, groupId: groupIdOf(policyId, groupLabels, channels), groupLabels, channels };
  });
}

function policiesFor(labels: Labels, policies: readonly Policy[]): Policy[] {
  const taking: Policy[] = [];
  for (const policy of policies) {
    if (!matchesAll(policy.matchers, labels)) continue;
    taking.push(policy);
    if (!policy.goOn) break;
  }
  return taking;
}

function groupLabelsOf(labels: Labels, groupBy: readonly string[]): Labels {
  if (groupBy.includes(BY_ALL_LABELS)) return labels;
  return Object.fromEntries(groupBy.filter((name) => Object.hasOwn(labels, name)).map((name) => [name, labels[name]!]));
}

/** The same for the same labels, so that a group that comes again is known again: deduplication keys rest on it. */
function groupIdOf(policyId: string, groupLabels: Labels, channels: readonly string[] | null): string {
  const { text } = canonicalJson({
    policyId,
    groupLabels: { ...groupLabels },
    channels: channels === null ? null : [...channels],
  });
  return `agr_${createHash('sha256').update(text).digest('hex').slice(0, 32)}`;
}
