import type { Log } from '../core/log.ts';
import type { Family } from './families.ts';

/** An SDK that exports what this process traces and counts. */
export interface OpenTelemetry {
  /** Sends what is left, for up to three seconds, and ends. */
  close(): Promise<void>;
}

export interface OpenTelemetryOptions {
  /** The variables `OTEL_*`. */
  readonly variables: Readonly<Record<string, string>>;
  readonly log: Log;
  readonly version: string;
  readonly families: () => Promise<Family[]>;
}

/** Which signals the variables ask for: those with an exporter named, or with an address to send to. */
export function wantedSignals(variables: Readonly<Record<string, string>>): { traces: boolean; metrics: boolean } {
  const wants = (signal: 'TRACES' | 'METRICS'): boolean => {
    if (variables.OTEL_SDK_DISABLED?.toLowerCase() === 'true') return false;
    const exporter = variables[`OTEL_${signal}_EXPORTER`];
    if (exporter !== undefined) return exporter.split(',').some((one) => one.trim() === 'otlp');
    return (variables.OTEL_EXPORTER_OTLP_ENDPOINT ?? variables[`OTEL_EXPORTER_OTLP_${signal}_ENDPOINT`]) !== undefined;
  };
  return { traces: wants('TRACES'), metrics: wants('METRICS') };
}

/** Starts the SDK when the variables ask for it. Without them nothing of it is loaded. */
export async function openOpenTelemetry(options: OpenTelemetryOptions): Promise<OpenTelemetry | null> {
  const wanted = wantedSignals(options.variables);
  if (!wanted.traces && !wanted.metrics) return null;
  const { startSdk } = await import('./openTelemetrySdk.ts');
  return startSdk(options, wanted);
}
