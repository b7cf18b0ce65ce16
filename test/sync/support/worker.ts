// A process that works on the queue of a database. Arguments: connection string, `validators` to send them.

import { openDatabase } from '../../../src/store/database.ts';
import { openSync } from './harness.ts';

const database = await openDatabase({ url: process.argv[2]!, dataDir: '', migrate: false });
const cacheValidators = process.argv[3] === 'validators';
openSync(database, { session: (session) => ({ ...session, cacheValidators }) });
// Waiting for work keeps no process alive; whoever started this one does.
process.stdin.resume();
console.log('working');
