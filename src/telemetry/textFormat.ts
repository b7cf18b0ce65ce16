import type { Family, Labels } from './families.ts';

/** Prometheus' text format 0.0.4, and OpenMetrics 1.0: alike but for names of counters, bounds and the end. */
export type TextFormat = 'text' | 'openmetrics';

export function writeText(families: readonly Family[], format: TextFormat): string {
  const lines: string[] = [];
  for (const family of families) {
    // OpenMetrics describes a counter without its suffix.
    const isBare = format === 'openmetrics' && family.type === 'counter';
    const name = isBare ? family.name.replace(/_total$/, '') : family.name;
    lines.push(`# HELP ${name} ${escapeHelp(family.help, format)}`, `# TYPE ${name} ${family.type}`);
    if (family.type === 'histogram') writeHistograms(lines, family, format);
    else for (const { labels, value } of family.samples) lines.push(sample(family.name, labels, value));
  }
  if (format === 'openmetrics') lines.push('# EOF');
  return `${lines.join('\n')}\n`;
}

function writeHistograms(lines: string[], family: Extract<Family, { type: 'histogram' }>, format: TextFormat): void {
  for (const { labels, buckets, count, sum } of family.samples) {
    for (const [bound, seen] of buckets) {
      lines.push(sample(`${family.name}_bucket`, { ...labels, le: writeBound(bound, format) }, seen));
    }
    lines.push(sample(`${family.name}_bucket`, { ...labels, le: '+Inf' }, count));
    lines.push(sample(`${family.name}_sum`, labels, sum), sample(`${family.name}_count`, labels, count));
  }
}

function sample(name: string, labels: Labels, value: number): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escapeLabel(text)}"`);
  return `${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${writeNumber(value)}`;
}

function writeNumber(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  return Number.isFinite(value) ? String(value) : value > 0 ? '+Inf' : '-Inf';
}

/** OpenMetrics wants bounds to be written as floating-point numbers. */
function writeBound(bound: number, format: TextFormat): string {
  return format === 'openmetrics' && Number.isInteger(bound) ? bound.toFixed(1) : String(bound);
}

function escapeHelp(text: string, format: TextFormat): string {
  const escaped = text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
  return format === 'openmetrics' ? escaped.replaceAll('"', '\\"') : escaped;
}

function escapeLabel(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"');
}
