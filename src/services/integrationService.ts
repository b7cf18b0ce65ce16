import { lazyService } from '../core/lazy.ts';
import { defaultApp } from '../defaultApp.ts';

/** Integrations and everything done with them. Importing opens nothing; the first call opens the default app. */
export const integrationService = lazyService(async () => (await defaultApp()).integrationService);
