import { lazyService } from '../core/lazy.ts';
import { defaultApp, openedDefaultApp } from '../defaultApp.ts';
import { emptyStats } from '../rateLimits/limitTallies.ts';
import type { RateLimitingService } from '../rateLimits/rateLimitingService.ts';

const asynchronous = lazyService(async () => (await defaultApp()).rateLimitingService);

/** Limits of calls. Importing opens nothing; the first check opens the default app. */
export const rateLimitingService: Omit<RateLimitingService, 'close' | 'storeState'> = {
  checkRateLimit: (...args) => asynchronous.checkRateLimit(...args),
  adjustRateLimit: (...args) => asynchronous.adjustRateLimit(...args),
  clearRateLimits(integrationId) {
    // Other replicas may have used limits that are shared, so the app is opened for it too.
    const opened = openedDefaultApp();
    if (opened !== null) opened.rateLimitingService.clearRateLimits(integrationId);
    else
      void defaultApp().then(
        (app) => app.rateLimitingService.clearRateLimits(integrationId),
        // Nothing is used by this process yet; the next check says why it does not open.
        () => {},
      );
  },
  getRateLimitStats: (integrationId) =>
    openedDefaultApp()?.rateLimitingService.getRateLimitStats(integrationId) ?? emptyStats(),
};

export type {
  AdditionalRateLimit,
  RateLimitConfig,
  RateLimitResult,
  RateLimitRule,
  RateLimitStats,
} from '../rateLimits/types.ts';
