import type { CryptoBackend } from '../src/credentials/cryptoBackend.ts';
import { openEnvelope, sealEnvelope } from '../src/credentials/envelope.ts';
import { parseEnvelope, writeEnvelope } from '../src/credentials/envelopeFormat.ts';
import { nodeBackend } from '../src/credentials/nodeBackend.ts';
import { MIN_KDF_ITERATIONS } from '../src/credentials/policy.ts';
import { randomBytes } from '../src/credentials/sealedBox.ts';
import { webBackend } from '../src/credentials/webBackend.ts';

const WARM_UP = 1_000;
const CALLS = 5_000;
const PBKDF2_CALLS = 5;
const CONTEXT = { owner: 'acme', integrationId: 'int_01', field: 'credentials', recordVersion: 1 };
const CREDENTIALS = { apiKey: 'k'.repeat(486) };

/**
 * What it costs to encrypt and decrypt 500 bytes of credentials, from and to the stored JSON, with the key at hand.
 * Target: warm decrypt ≤ 100 µs on the backend that the server uses (node).
 */
export async function run(): Promise<void> {
  const rows: Record<string, unknown> = {};
  for (const backend of [webBackend, nodeBackend]) rows[backend.name] = await measure(backend);
  console.table(rows);
}

async function measure(backend: CryptoBackend): Promise<Record<string, unknown>> {
  const key = { keyId: 'key_01', kdf: null, material: await backend.importKeyMaterial(randomBytes(32)) };
  const encrypt = async () => writeEnvelope(await sealEnvelope(backend, key, 'acme', CONTEXT, CREDENTIALS));
  const stored = await encrypt();
  const decrypt = () => openEnvelope(backend, key, 'acme', CONTEXT, parseEnvelope(stored)!);
  const encryptUs = await microseconds(encrypt);
  const decryptUs = await microseconds(decrypt);
  const stretch = () => backend.pbkdf2(randomBytes(32), randomBytes(32), MIN_KDF_ITERATIONS, 32);
  const pbkdf2Us = await microseconds(stretch, 1, PBKDF2_CALLS);
  return {
    'encrypt µs (median)': round(encryptUs.median),
    'decrypt µs (median)': round(decryptUs.median),
    'decrypt µs (p99)': round(decryptUs.p99),
    'decrypt ≤ 100 µs': decryptUs.median <= 100,
    'PBKDF2 600k ms': round(pbkdf2Us.median / 1000),
  };
}

async function microseconds(call: () => Promise<unknown>, warmUp = WARM_UP, calls = CALLS) {
  for (let index = 0; index < warmUp; index++) await call();
  const taken: number[] = [];
  for (let index = 0; index < calls; index++) {
    const start = performance.now();
    await call();
    taken.push((performance.now() - start) * 1000);
  }
  taken.sort((a, b) => a - b);
  return { median: taken[Math.floor(calls / 2)]!, p99: taken[Math.floor(calls * 0.99)]! };
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
