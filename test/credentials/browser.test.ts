import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { CredentialEncryption } from '../../src/credentials/credentialEncryption.ts';
import type { EncryptedCredentials } from '../../src/credentials/envelopeFormat.ts';
import { nodeBackend } from '../../src/credentials/nodeBackend.ts';

const SECRET = 'a secret that both sides have, 32+ characters';
const PROGRAM = fileURLToPath(new URL('fixtures/browserContext.ts', import.meta.url));

it.each(['services/credentialEncryption.ts', 'credentials/credentialEncryption.ts'])(
  '%s works where there is Web Crypto and nothing of Node',
  async (path) => {
    const entry = new URL(`../../src/${path}`, import.meta.url).href;
    const args = ['--experimental-vm-modules', '--no-warnings', PROGRAM, entry, SECRET, 'user-123'];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    const { result, modules } = JSON.parse(stdout) as {
      result: { encrypted: EncryptedCredentials; newUserKey: string };
      modules: string[];
    };
    expect(modules.filter((name) => /node|config|store/i.test(name.slice(name.lastIndexOf('/src/'))))).toEqual([]);
    expect(result).toMatchObject({
      globals: ['undefined', 'undefined'],
      unconfigured: 'ENCRYPTION_NOT_CONFIGURED',
      decrypted: { apiKey: 'from a browser' },
      refused: 'CREDENTIALS_UNREADABLE',
      valid: true,
      wiped: [0, 0, ''],
    });
    expect(result.newUserKey).toMatch(/^uk1\.u\.[\w-]{43}$/);

    CredentialEncryption.configure({ secret: SECRET, backend: nodeBackend });
    expect(await CredentialEncryption.decrypt(result.encrypted, 'user-123')).toEqual({ apiKey: 'from a browser' });
  },
);
