import { context, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { expect, onTestFinished, test } from 'vitest';
import { RecordMaker } from '../../src/logging/record.ts';

test('a record says in which span it was made', () => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  onTestFinished(() => context.disable());
  const [traceId, spanId] = ['0af7651916cd43dd8448eb211c80319c', 'b7ad6b7169203331'];
  const span = trace.wrapSpanContext({ traceId, spanId, traceFlags: 1 });
  const make = () => new RecordMaker().make('system', 'info', 'said', {}, Date.now());
  expect(context.with(trace.setSpan(context.active(), span), make)).toMatchObject({ traceId, spanId });
  expect(make()).toMatchObject({ traceId: null, spanId: null });
});
