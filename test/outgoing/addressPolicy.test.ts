import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InvalidInputError } from '../../src/core/errors.ts';
import { parseAllowList, refusalOf } from '../../src/outgoing/addressPolicy.ts';

const NONE = parseAllowList([]);
const refused = (address: string, allowed: readonly string[] = [], hostname = address) =>
  refusalOf(address, hostname, parseAllowList(allowed)) !== null;

/**
 * The IANA special-purpose registries written out again, by hand and as numbers, so that the policy is not
 * compared with itself: https://www.iana.org/assignments/iana-ipv4-special-registry and ipv6-special-registry.
 */
const IPV4_SPECIAL = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.31.196.0', 24],
  ['192.52.193.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['192.175.48.0', 24],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
  ['168.63.129.16', 32],
] as const;
const IPV6_SPECIAL = [
  [0x2001_0000n << 96n, 23],
  [0x2001_0db8n << 96n, 32],
  [0x2002_0000n << 96n, 16],
  [0x2620_004f_8000n << 80n, 48],
  [0x3fff_0000n << 96n, 20],
] as const;

const toNumber = (text: string) => text.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
const toText4 = (value: number) => [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.');
const toText6 = (value: bigint) =>
  [112n, 96n, 80n, 64n, 48n, 32n, 16n, 0n].map((shift) => ((value >> shift) & 0xffffn).toString(16)).join(':');
const special4 = (value: number) =>
  IPV4_SPECIAL.some(
    ([base, bits]) => Math.floor(value / 2 ** (32 - bits)) === Math.floor(toNumber(base) / 2 ** (32 - bits)),
  );
const public6 = (value: bigint) =>
  value >> 125n === 1n &&
  !IPV6_SPECIAL.some(([base, bits]) => value >> BigInt(128 - bits) === base >> BigInt(128 - bits));

describe('address policy', () => {
  it('allows exactly the public IPv4 addresses', () => {
    const nearEdges = fc
      .tuple(fc.constantFrom(...IPV4_SPECIAL), fc.integer({ min: -3, max: 3 }), fc.boolean())
      .map(([[base, bits], offset, end]) => toNumber(base) + (end ? 2 ** (32 - bits) : 0) + offset)
      .filter((value) => value >= 0 && value < 2 ** 32);
    fc.assert(
      fc.property(fc.oneof(fc.integer({ min: 0, max: 2 ** 32 - 1 }), nearEdges), (value) => {
        expect(refused(toText4(value))).toBe(special4(value));
      }),
      { numRuns: 20_000 },
    );
  });

  it('allows exactly the IPv6 addresses in 2000::/3 outside the special ranges', () => {
    const anywhere = fc.bigInt({ min: 0n, max: 2n ** 128n - 1n });
    const global = fc.bigInt({ min: 0n, max: 2n ** 125n - 1n }).map((low) => (1n << 125n) | low);
    const nearEdges = fc
      .tuple(fc.constantFrom(...IPV6_SPECIAL), fc.bigInt({ min: -3n, max: 3n }), fc.boolean())
      .map(([[base, bits], offset, end]) => base + (end ? 1n << BigInt(128 - bits) : 0n) + offset);
    fc.assert(
      fc.property(fc.oneof(anywhere, global, nearEdges), (value) => {
        expect(refused(toText6(value))).toBe(!public6(value));
      }),
      { numRuns: 20_000 },
    );
  });

  it('refuses every way to carry an IPv4 address inside an IPv6 one', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 32 - 1 }), (value) => {
        const text = toText4(value);
        const hex = toText6(BigInt(value)).split(':').slice(-2).join(':');
        for (const address of [
          `::ffff:${text}`,
          `::ffff:${hex}`,
          `::${text}`,
          `::ffff:0:${hex}`,
          `64:ff9b::${hex}`,
          `64:ff9b:1::${hex}`,
          `64:ff9b:1:${hex.split(':')[0]}:0:${hex}::`,
          `2002:${hex}::1`,
          `2001:0:${hex}::1`,
        ]) {
          expect(refused(address), address).toBe(true);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('says what an address is', () => {
    expect(refusalOf('127.0.0.1', '127.0.0.1', NONE)).toBe('127.0.0.1 is a loopback address');
    expect(refusalOf('10.0.0.1', 'crm', NONE)).toBe('10.0.0.1 is a private address');
    expect(refusalOf('fe80::1', 'x', NONE)).toBe('fe80::1 is a link-local address');
    expect(refusalOf('64:ff9b::7f00:1', 'x', NONE)).toBe('64:ff9b::7f00:1 is a NAT64 address');
    expect(refusalOf('169.254.169.254', 'x', NONE)).toContain('cloud metadata');
  });

  it('refuses what is no plain address', () => {
    for (const text of [
      '',
      'localhost',
      '127.1',
      '0177.0.0.1',
      '0x7f000001',
      '2130706433',
      '::1%lo',
      'fe80::1%eth0',
      '1.2.3.4.5',
      '1.2.3.4 ',
      ':::',
    ]) {
      expect(refused(text, ['0.0.0.0/0', '::/0']), text).toBe(true);
    }
  });

  it('opens what the allow-list names, and nothing beside it', () => {
    const allowed = [
      '10.1.0.0/16',
      '192.168.7.7',
      '::1',
      '[fd12::]/16',
      'crm.internal',
      '*.corp.example',
      'LOCALHOST.',
    ];
    for (const address of ['10.1.255.255', '192.168.7.7', '::1', 'fd12:3::4'])
      expect(refused(address, allowed)).toBe(false);
    for (const address of ['10.2.0.0', '10.0.255.255', '192.168.7.8', '::2', 'fd13::1', '127.0.0.1']) {
      expect(refused(address, allowed), address).toBe(true);
    }
    for (const host of ['crm.internal', 'CRM.internal.', 'a.corp.example', 'a.b.corp.example', 'localhost']) {
      expect(refused('10.99.0.1', allowed, host), host).toBe(false);
    }
    for (const host of [
      'xcrm.internal',
      'crm.internal.example',
      'corp.example',
      'evilcorp.example',
      'a.corp.example.org',
    ]) {
      expect(refused('10.99.0.1', allowed, host), host).toBe(true);
    }
  });

  it('does not take an allowed IPv4 address for its IPv6 disguises', () => {
    for (const disguise of ['::ffff:127.0.0.1', '::127.0.0.1', '64:ff9b::7f00:1', '2002:7f00:1::']) {
      expect(refused(disguise, ['127.0.0.1', '127.0.0.0/8'])).toBe(true);
    }
  });

  it('refuses metadata addresses whatever is allowed', () => {
    const everything = ['0.0.0.0/0', '::/0', 'metadata', '*.internal', '169.254.169.254', '100.100.100.200'];
    for (const address of [
      '169.254.169.254',
      '168.63.129.16',
      '100.100.100.200',
      '169.254.170.2',
      '169.254.170.23',
      'fd00:ec2::254',
      'fd00:0ec2:0:0:0:0:0:254',
      'fd20:ce::254',
      '::ffff:169.254.169.254',
      '::ffff:a9fe:a9fe',
      '::169.254.169.254',
      '::ffff:0:a9fe:a9fe',
      '64:ff9b::a9fe:a9fe',
      '64:ff9b:1::a9fe:a9fe',
      '64:ff9b:1:a9fe:a9:fe00::',
      '2002:a9fe:a9fe::1',
      '64:ff9b::a83f:8110',
      '2002:6464:64c8::',
    ]) {
      for (const host of [address, 'metadata', 'metadata.google.internal'])
        expect(refused(address, everything, host), address).toBe(true);
    }
    expect(refused('127.0.0.1', everything)).toBe(false);
    expect(refused('::ffff:127.0.0.1', everything)).toBe(false);
  });

  it('names every entry of the allow-list that is no host', () => {
    for (const wrong of [
      '10.0.0.0/33',
      '::/129',
      '127.1',
      '300.1.1.1',
      'a b',
      'http://x',
      '*',
      'a.*.b',
      '10.0.0.0/8/8',
      '1234',
    ]) {
      expect(() => parseAllowList(['ok.example', wrong]), wrong).toThrow(InvalidInputError);
    }
    expect(() => parseAllowList(['127.1', '10.0.0.1', '10.0.0.0/99'])).toThrow(/"127.1", "10.0.0.0\/99"/);
  });
});
