// A process that works on the queue of a database. Arguments: connection string.

import { openDatabase } from '../../../src/store/database.ts';
import { openSync } from './harness.ts';

const database = await openDatabase({ url: process.argv[2]!, dataDir: '', migrate: false });
openSync(database);
console.log('working');
