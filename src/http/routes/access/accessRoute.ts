import type { App } from '../../../app.ts';
import type { Server } from '../../typeProvider.ts';

/** Registers one endpoint. */
export type AddAccessRoute = (server: Server, app: Pick<App, 'access'>) => void;
