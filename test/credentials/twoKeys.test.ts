import { createCipheriv, hkdfSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { lengthPrefixed } from '../../src/credentials/encoding.ts';
import { nodeBackend } from '../../src/credentials/nodeBackend.ts';
import { FORMAT, openBox, randomBytes, type SealedBox, SUITE } from '../../src/credentials/sealedBox.ts';
import { BACKENDS } from './envelopes.ts';

/**
 * One AES-GCM ciphertext that is valid under two keys, built as in Dodis, Grubbs, Ristenpart and Woodage, "Fast
 * Message Franking" (CRYPTO 2018), section 3: the last block is solved for so that both tags are the same.
 */
function sealForTwoKeys(keys: readonly [Uint8Array, Uint8Array], iv: Uint8Array, aad: Uint8Array): Uint8Array {
  const blocks = [...toBlocks(aad), ...toBlocks(randomBytes(32))];
  const lengths = (BigInt(aad.length * 8) << 64n) | BigInt(48 * 8);
  const [one, two] = keys.map((key) => {
    const hashKey = toNumber(encryptBlock(key, new Uint8Array(16)));
    const mask = toNumber(encryptBlock(key, Uint8Array.from([...iv, 0, 0, 0, 1])));
    // The tag without the last ciphertext block, whose factor is hashKey².
    const rest = ghash(hashKey, [...blocks, 0n, lengths]) ^ mask;
    return { rest, factor: multiply(hashKey, hashKey) };
  }) as [Half, Half];
  const last = multiply(one.rest ^ two.rest, invert(one.factor ^ two.factor));
  const tag = one.rest ^ multiply(last, one.factor);
  const ciphertext = [...blocks.slice(toBlocks(aad).length), last, tag];
  return Uint8Array.from(ciphertext.flatMap((block) => [...toBytes(block)]));
}

interface Half {
  readonly rest: bigint;
  readonly factor: bigint;
}

/** GF(2^128) as in NIST SP 800-38D, section 6.3: the first bit of the block is the lowest coefficient. */
function multiply(x: bigint, y: bigint): bigint {
  let product = 0n;
  for (let bit = 127n; bit >= 0n; bit--) {
    if ((x >> bit) & 1n) product ^= y;
    y = y & 1n ? (y >> 1n) ^ (0xe1n << 120n) : y >> 1n;
  }
  return product;
}

/** x^(2^128 - 2). */
function invert(x: bigint): bigint {
  let power = x;
  let result = 1n << 127n;
  for (let bit = 1; bit < 128; bit++) {
    power = multiply(power, power);
    result = multiply(result, power);
  }
  return result;
}

function ghash(hashKey: bigint, blocks: readonly bigint[]): bigint {
  return blocks.reduce((sum, block) => multiply(sum ^ block, hashKey), 0n);
}

function encryptBlock(key: Uint8Array, block: Uint8Array): Uint8Array {
  return createCipheriv('aes-256-ecb', key, null).setAutoPadding(false).update(block);
}

function toBlocks(data: Uint8Array): bigint[] {
  const padded = Buffer.alloc(Math.ceil(data.length / 16) * 16);
  padded.set(data);
  return Array.from({ length: padded.length / 16 }, (_, index) =>
    toNumber(padded.subarray(index * 16, index * 16 + 16)),
  );
}

function toNumber(block: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(block).toString('hex')}`);
}

function toBytes(block: bigint): Uint8Array {
  return Buffer.from(block.toString(16).padStart(32, '0'), 'hex');
}

/** What the format's description says of a box's keys, computed here once more. */
async function deriveAsDescribed(secret: Uint8Array, salt: Uint8Array, aad: Uint8Array<ArrayBuffer>) {
  const header = lengthPrefixed(new Uint8Array(), [FORMAT, SUITE, 'credentials']);
  const info = lengthPrefixed(header, [await nodeBackend.sha256(aad)]);
  const derived = new Uint8Array(hkdfSync('sha256', secret, salt, info, 64));
  return { key: derived.slice(0, 32), commitment: derived.slice(32) };
}

describe.each(BACKENDS)('a ciphertext that AES-GCM opens under two keys ($name backend)', (backend) => {
  it('opens under the key it is committed to and under no other', async () => {
    const context = ['acme', 'int_01', 'credentials', '1'];
    const aad = lengthPrefixed(lengthPrefixed(new Uint8Array(), [FORMAT, SUITE, 'credentials']), context);
    const [secretOne, secretTwo, salt, iv] = [randomBytes(32), randomBytes(32), randomBytes(32), randomBytes(12)];
    const one = await deriveAsDescribed(secretOne, salt, aad);
    const two = await deriveAsDescribed(secretTwo, salt, aad);
    const ciphertext = new Uint8Array(sealForTwoKeys([one.key, two.key], iv, aad));

    const plainOne = await backend.openAesGcm(one.key, iv, aad, ciphertext);
    const plainTwo = await backend.openAesGcm(two.key, iv, aad, ciphertext);
    expect(plainOne).toHaveLength(48);
    expect(plainTwo).toHaveLength(48);
    expect(plainOne).not.toEqual(plainTwo);

    const openWith = async (secret: Uint8Array<ArrayBuffer>, commitment: SealedBox['commitment']) => {
      const material = await backend.importKeyMaterial(secret);
      return openBox(backend, material, 'credentials', context, { salt, iv, commitment, ciphertext });
    };
    expect(await openWith(secretOne, one.commitment)).toEqual(plainOne);
    expect(await openWith(secretTwo, one.commitment)).toBeNull();
    expect(await openWith(secretOne, two.commitment)).toBeNull();
    expect(await openWith(secretTwo, two.commitment)).toEqual(plainTwo);
  });
});
