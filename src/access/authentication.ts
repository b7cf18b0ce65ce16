import type { Principal } from './types.ts';

/** Who sent a credential that is genuine, or why it does not open anything, in a sentence for whoever sent it. */
export type Authentication = { readonly principal: Principal } | { readonly refused: string };
