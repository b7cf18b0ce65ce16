import { type Matcher, matchesAll } from './labelMatchers.ts';
import type { Labels } from './types.ts';

/** While a source fires, targets with the same values of the labels `equal` are not told of. */
export interface InhibitionRule {
  readonly id: string;
  readonly sourceMatchers: readonly Matcher[];
  readonly targetMatchers: readonly Matcher[];
  /** A label that both lack counts as equal. */
  readonly equal: readonly string[];
}

/**
 * The id of a rule that holds an alert back, or null. `firing` are the alerts that fire now; that a source is itself
 * silenced or held back changes nothing. Alerts that are source and target of one rule do not hold each other back:
 * https://prometheus.io/docs/alerting/latest/configuration/#inhibition-related-settings
 */
export function inhibitedBy(
  labels: Labels,
  rules: readonly InhibitionRule[],
  firingOf: (rule: InhibitionRule) => readonly Labels[],
): string | null {
  for (const rule of rules) {
    if (!matchesAll(rule.targetMatchers, labels)) continue;
    const isSourceToo = matchesAll(rule.sourceMatchers, labels);
    const found = firingOf(rule).some(
      (source) =>
        rule.equal.every((name) => labelOf(source, name) === labelOf(labels, name)) &&
        !(isSourceToo && matchesAll(rule.targetMatchers, source)),
    );
    if (found) return rule.id;
  }
  return null;
}

function labelOf(labels: Labels, name: string): string {
  return Object.hasOwn(labels, name) ? labels[name]! : '';
}
