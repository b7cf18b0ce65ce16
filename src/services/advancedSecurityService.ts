import { lazyService } from '../core/lazy.ts';
import { defaultApp } from '../defaultApp.ts';

/** Access control, audit events, credentials. Importing opens nothing; the first call opens the default app. */
export const advancedSecurityService = lazyService(async () => (await defaultApp()).advancedSecurityService);
