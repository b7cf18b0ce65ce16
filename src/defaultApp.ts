import { type App, openApp } from './app.ts';
import { lazy } from './core/lazy.ts';

let opened: App | null = null;

/** The default app if it is open by now, for what cannot wait for it. */
export function openedDefaultApp(): App | null {
  return opened;
}

/**
 * The app behind `services/*`: configured by the environment, opened at the first call, one a process.
 * It keeps no process alive by itself and is closed when the process has nothing left to do.
 */
export const defaultApp: () => Promise<App> = lazy(async () => {
  const app = await openApp();
  opened = app;
  process.once('beforeExit', () => void app.close());
  return app;
});
