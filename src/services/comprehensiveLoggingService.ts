import { lazyService } from '../core/lazy.ts';
import { defaultApp, openedDefaultApp } from '../defaultApp.ts';
import type { ComprehensiveLoggingService } from '../logging/comprehensiveLoggingService.ts';
import type { IntegrationLog } from '../logging/types.ts';

const asynchronous = lazyService(async () => (await defaultApp()).comprehensiveLoggingService);

/** Logs. Importing opens nothing; the first call opens the default app. */
export const comprehensiveLoggingService: Pick<
  ComprehensiveLoggingService,
  'log' | 'getLogs' | 'flush' | 'subscribeToLogs'
> = {
  log: (...args) => asynchronous.log(...args),
  getLogs: (...args) => asynchronous.getLogs(...args),
  flush: () => asynchronous.flush(),
  subscribeToLogs(onLogReceived, integrationId) {
    const opened = openedDefaultApp();
    if (opened !== null) return opened.comprehensiveLoggingService.subscribeToLogs(onLogReceived, integrationId);
    return subscribeWhenOpen(onLogReceived, integrationId);
  },
};

/** Records from the moment on in which the app is open. */
function subscribeWhenOpen(onLogReceived: (log: IntegrationLog) => void, integrationId?: string): () => void {
  let end: (() => void) | null = null;
  let ended = false;
  void defaultApp().then(
    (app) => {
      if (!ended) end = app.comprehensiveLoggingService.subscribeToLogs(onLogReceived, integrationId);
    },
    // Whoever logs or reads hears why it does not open.
    () => {},
  );
  return () => {
    ended = true;
    end?.();
  };
}

export type { IntegrationLog, LogLevel, LogOptions } from '../logging/types.ts';
