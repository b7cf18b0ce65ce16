import { describe, expect, it } from 'vitest';
import { BACKENDS } from './envelopes.ts';

const bytes = (hex: string) => new Uint8Array(Buffer.from(hex, 'hex'));
const text = (ascii: string) => new Uint8Array(Buffer.from(ascii));
const range = (from: number, to: number) => Uint8Array.from({ length: to - from + 1 }, (_, index) => from + index);
const hex = (data: Uint8Array | null) => data && Buffer.from(data).toString('hex');

/** RFC 5869, appendix A.1–A.3. */
const HKDF = [
  {
    secret: new Uint8Array(22).fill(0x0b),
    salt: range(0x00, 0x0c),
    info: range(0xf0, 0xf9),
    derived: '3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865',
  },
  {
    secret: range(0x00, 0x4f),
    salt: range(0x60, 0xaf),
    info: range(0xb0, 0xff),
    derived:
      'b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87',
  },
  {
    secret: new Uint8Array(22).fill(0x0b),
    salt: new Uint8Array(),
    info: new Uint8Array(),
    derived: '8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8',
  },
];

/** RFC 7914, section 11. */
const PBKDF2 = [
  {
    password: 'passwd',
    salt: 'salt',
    iterations: 1,
    derived:
      '55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc49ca9cccf179b645991664b39d77ef317c71b845b1e30bd509112041d3a19783',
  },
  {
    password: 'Password',
    salt: 'NaCl',
    iterations: 80_000,
    derived:
      '4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56a1d425a1225833549adb841b51c9b3176a272bdebba1d078478f62b397f33c8d',
  },
];

/** McGrew and Viega, "The Galois/Counter Mode of Operation", test cases 13, 14 and 16 (256-bit keys, 96-bit IVs). */
const AES_GCM = [
  { key: '00'.repeat(32), iv: '00'.repeat(12), aad: '', plaintext: '', sealed: '530f8afbc74536b9a963b4f1c4cb738b' },
  {
    key: '00'.repeat(32),
    iv: '00'.repeat(12),
    aad: '',
    plaintext: '00'.repeat(16),
    sealed: 'cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919',
  },
  {
    key: 'feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308',
    iv: 'cafebabefacedbaddecaf888',
    aad: 'feedfacedeadbeeffeedfacedeadbeefabaddad2',
    plaintext:
      'd9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39',
    sealed:
      '522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b',
  },
];

describe.each(BACKENDS)('the $name backend', (backend) => {
  it.each(HKDF)('derives as RFC 5869 does: $derived', async ({ secret, salt, info, derived }) => {
    const material = await backend.importKeyMaterial(secret);
    expect(hex(await material.derive(salt, info, derived.length / 2))).toBe(derived);
  });

  it.each(PBKDF2)('stretches $password as RFC 7914 does', async ({ password, salt, iterations, derived }) => {
    expect(hex(await backend.pbkdf2(text(password), text(salt), iterations, 64))).toBe(derived);
  });

  it.each(AES_GCM)('seals and opens as the GCM paper does: $sealed', async ({ key, iv, aad, plaintext, sealed }) => {
    expect(hex(await backend.sealAesGcm(bytes(key), bytes(iv), bytes(aad), bytes(plaintext)))).toBe(sealed);
    expect(hex(await backend.openAesGcm(bytes(key), bytes(iv), bytes(aad), bytes(sealed)))).toBe(plaintext);
  });
});
