import { type Matcher, matchesAll } from './labelMatchers.ts';
import type { Labels } from './types.ts';

/** While a source fires, targets with the same values of the labels `equal` are not told of. */
export interface InhibitionRule {
  readonly id: string;
  readonly sourceMatchers: readonly Matcher[];
  readonly targetMatchers: readonly Matcher[];
  /** A label that both lack counts as equal. */
  readonly equal: readonly string[];
  /** For so long after the source has ended they are held back too. */
  readonly lingerMs: number;
}

/** An alert that fires, or ended lately. */
export interface FiringAlert {
  /** Names it over all rules. */
  readonly key: string;
  readonly labels: Labels;
  readonly endsAtMs: number | null;
}

/** Why an alert is held back. */
export interface Inhibition {
  /** Id of the inhibition rule. */
  readonly rule: string;
  /** Key of the alert that is the cause. */
  readonly alert: string;
}

/**
 * What holds an alert back, or null. That a source is itself silenced or held back changes nothing. Alerts that are
 * source and target of one rule do not hold each other back:
 * https://prometheus.io/docs/alerting/latest/configuration/#inhibition-related-settings
 */
export function inhibitionOf(
  labels: Labels,
  rules: readonly InhibitionRule[],
  sourcesOf: (rule: InhibitionRule) => readonly FiringAlert[],
): Inhibition | null {
  for (const rule of rules) {
    if (!matchesAll(rule.targetMatchers, labels)) continue;
    const isSourceToo = matchesAll(rule.sourceMatchers, labels);
    const found = sourcesOf(rule).find(
      (source) =>
        rule.equal.every((name) => labelOf(source.labels, name) === labelOf(labels, name)) &&
        !(isSourceToo && matchesAll(rule.targetMatchers, source.labels)),
    );
    if (found !== undefined) return { rule: rule.id, alert: found.key };
  }
  return null;
}

function labelOf(labels: Labels, name: string): string {
  return Object.hasOwn(labels, name) ? labels[name]! : '';
}
