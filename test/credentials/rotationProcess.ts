// Rotates the installation's key of a database (its address, ENCRYPTION_SECRET, rows a batch), saying each step.
import { InstallationKeys } from '../../src/credentials/installationKeys.ts';
import { rotateInstallationKey } from '../../src/credentials/rotation.ts';
import { openDatabase } from '../../src/store/database.ts';

const [url, secret, batchRows = '5'] = process.argv.slice(2) as [string, string, string?];
const database = await openDatabase({ url, dataDir: '', migrate: false });
const keys = await InstallationKeys.open(database, secret);
console.log('rotating');
const result = await rotateInstallationKey(database, keys, {
  batchRows: Number(batchRows),
  onProgress: ({ rewrapped }) => console.log(`rewrapped ${rewrapped}`),
});
console.log(`result ${JSON.stringify(result)}`);
await database.close();
