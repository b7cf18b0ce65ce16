import { setDefaultEncryptionOptions } from '../credentials/credentialEncryption.ts';

export type { EncryptionOptions } from '../credentials/credentialCipher.ts';
// biome-ignore lint/performance/noBarrelFile: this is the documented import path
export { CredentialEncryption } from '../credentials/credentialEncryption.ts';
export type { EncryptedCredentials } from '../credentials/envelopeFormat.ts';

// Only on a server: a browser has no environment to read and has to call `configure`. Nothing is loaded before the
// first call, and nothing of Node's is imported by this file itself, so that bundlers for browsers can take it.
if (globalThis.process?.versions?.node !== undefined) {
  setDefaultEncryptionOptions(async () => {
    const [{ makeConfig }, { readEnvironment }, { loadSecrets }, { nodeBackend }] = await Promise.all([
      import('../config/config.ts'),
      import('../config/env.ts'),
      import('../config/secrets.ts'),
      import('../credentials/nodeBackend.ts'),
    ]);
    return { secret: loadSecrets(makeConfig(readEnvironment())).encryptionSecret, backend: nodeBackend };
  });
}
