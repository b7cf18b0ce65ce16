import type { AlertInstance, AlertRule } from './types.ts';

const PLACEHOLDER = /\{\{\s*([\w.]*)\s*\}\}/g;
const MAX_CHARS = 2_000;

/** The texts of a rule for one alert. What has no value becomes nothing, so that a text is always sent. */
export function renderAnnotations(
  rule: Pick<AlertRule, 'annotations' | 'labels' | 'threshold'>,
  instance: Pick<AlertInstance, 'labels' | 'value'>,
): Record<string, string> {
  const labels = { ...instance.labels, ...rule.labels };
  const fill = (_: string, name: string): string => {
    if (name === 'value') return instance.value === null ? 'no value' : readable(instance.value);
    if (name === 'threshold') return readable(rule.threshold);
    const label = name.slice('labels.'.length);
    return Object.hasOwn(labels, label) ? labels[label]! : '';
  };
  return Object.fromEntries(
    Object.entries(rule.annotations).map(([name, text]) => [name, text.replace(PLACEHOLDER, fill).slice(0, MAX_CHARS)]),
  );
}

/** The first placeholder that nothing stands for; null when there is none. */
export function unknownPlaceholder(text: string): string | null {
  for (const [whole, name] of text.matchAll(/\{\{(.*?)\}\}/gs))
    if (!/^\s*(value|threshold|labels\.[A-Za-z_]\w*)\s*$/.test(name!)) return whole;
  return null;
}

/** At most four digits that matter: 12.3456789 becomes 12.35, 1234567 stays. */
function readable(value: number): string {
  return Math.abs(value) >= 1_000 ? String(Math.round(value)) : String(Number(value.toPrecision(4)));
}
