import { type App, openApp } from './app.ts';
import { lazy } from './core/lazy.ts';

/**
 * The app behind `services/*`: configured by the environment, opened at the first call, one a process.
 * It keeps no process alive by itself and is closed when the process has nothing left to do.
 */
export const defaultApp: () => Promise<App> = lazy(async () => {
  const app = await openApp();
  process.once('beforeExit', () => void app.close());
  return app;
});
