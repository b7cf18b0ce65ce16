import type { App } from '../../app.ts';
import type { Server } from '../typeProvider.ts';

/** Registers one endpoint. */
export type AddRoute = (server: Server, app: App) => void;

export const API = '/api/v1';
