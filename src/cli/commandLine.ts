import type { Principal } from '../access/types.ts';

/** Who acts when a command changes something: whoever has the machine may do everything. */
export const COMMAND_LINE: Principal = { kind: 'installation', name: 'command line' };
