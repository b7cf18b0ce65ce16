import { context, type DiagLogger, DiagLogLevel, diag, propagation, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-proto';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { defaultResource, detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { setProcessVariables } from '../config/env.ts';
import { errorMessage } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import type { OpenTelemetry, OpenTelemetryOptions } from './openTelemetry.ts';
import { FamilyProducer } from './otelMetrics.ts';

const CLOSE_DEADLINE_MS = 3_000;
const DEFAULT_EXPORT_INTERVAL_MS = 60_000;
const DEFAULT_EXPORT_TIMEOUT_MS = 10_000;
/** A collector that is away is said once in this time. */
const QUIET_MS = 600_000;

/** Registers providers for the process, unless whoever embeds the library has their own. Only by `openOpenTelemetry`. */
export function startSdk(options: OpenTelemetryOptions, wanted: { traces: boolean; metrics: boolean }): OpenTelemetry {
  const { variables, log, version } = options;
  // The SDK reads the process's own variables, and some of these may be from `.env`.
  setProcessVariables(variables);
  diag.setLogger(quietLogger(log), { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true });
  const named = resourceFromAttributes({ 'service.name': 'integration-services', 'service.version': version });
  const resource = defaultResource()
    .merge(named)
    .merge(detectResources({ detectors: [envDetector] }));
  const closers: (() => Promise<void>)[] = [];

  if (wanted.traces) {
    const provider = new BasicTracerProvider({
      resource,
      // Bounded: 2,048 spans (OTEL_BSP_MAX_QUEUE_SIZE) wait at most, more are dropped.
      spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())],
    });
    if (trace.setGlobalTracerProvider(provider)) {
      context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
      propagation.setGlobalPropagator(new W3CTraceContextPropagator());
      closers.push(async () => {
        trace.disable();
        context.disable();
        propagation.disable();
        await provider.shutdown();
      });
    }
  }
  if (wanted.metrics) {
    const intervalMs = positive(variables.OTEL_METRIC_EXPORT_INTERVAL, DEFAULT_EXPORT_INTERVAL_MS);
    const timeoutMs = positive(variables.OTEL_METRIC_EXPORT_TIMEOUT, DEFAULT_EXPORT_TIMEOUT_MS);
    const reader = new PeriodicExportingMetricReader({
      exporter: new OTLPMetricExporter(),
      exportIntervalMillis: intervalMs,
      exportTimeoutMillis: Math.min(timeoutMs, intervalMs),
      metricProducers: [new FamilyProducer(options.families, version)],
    });
    const provider = new MeterProvider({ resource, readers: [reader] });
    closers.push(() => provider.shutdown());
  }
  return {
    async close() {
      const closed = Promise.allSettled(closers.map((one) => one()));
      const deadline = new Promise((resolve) => setTimeout(resolve, CLOSE_DEADLINE_MS).unref());
      await Promise.race([closed, deadline]);
      diag.disable();
    },
  };
}

/** The SDK complains at each try; a collector that is away for a day is no news each second. */
function quietLogger(log: Log): DiagLogger {
  let quietUntilMs = Number.NEGATIVE_INFINITY;
  const say = (message: string, ...details: unknown[]) => {
    if (performance.now() < quietUntilMs) return;
    quietUntilMs = performance.now() + QUIET_MS;
    const reason = [message, ...details].map((one) => (one instanceof Error ? errorMessage(one) : String(one)));
    log.warn('OpenTelemetry has a problem; further ones are not told for ten minutes', {
      reason: reason.join(' ').slice(0, 500),
    });
  };
  return { error: say, warn: say, info: () => {}, debug: () => {}, verbose: () => {} };
}

function positive(text: string | undefined, otherwise: number): number {
  const value = Number(text);
  return Number.isInteger(value) && value > 0 ? value : otherwise;
}
