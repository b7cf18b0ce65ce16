export type MetricsFormat = 'text' | 'openmetrics' | 'protobuf';

export const CONTENT_TYPES: Record<MetricsFormat, string> = {
  text: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
  protobuf: 'application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited',
};

/** The format that an Accept header likes best; text where it names none of them. */
export function negotiate(accept: string | undefined): MetricsFormat {
  let best: MetricsFormat = 'text';
  let bestQuality = 0;
  for (const entry of (accept ?? '').toLowerCase().split(',')) {
    const [type = '', ...parameters] = entry.split(';').map((part) => part.trim());
    const format = formatOf(type, parameters);
    const quality = Number(parameters.find((one) => one.startsWith('q='))?.slice(2) ?? 1);
    // Of equals the first.
    if (format === null || !(quality > bestQuality)) continue;
    best = format;
    bestQuality = quality;
  }
  return best;
}

function formatOf(type: string, parameters: readonly string[]): MetricsFormat | null {
  if (type === 'application/vnd.google.protobuf') {
    const wanted = ['proto=io.prometheus.client.metricfamily', 'encoding=delimited'];
    return wanted.every((one) => parameters.includes(one)) ? 'protobuf' : null;
  }
  if (type === 'application/openmetrics-text') return 'openmetrics';
  return ['text/plain', 'text/*', '*/*'].includes(type) ? 'text' : null;
}
