import ipaddr from 'ipaddr.js';
import { InvalidInputError } from '../core/errors.ts';

type Address = ipaddr.IPv4 | ipaddr.IPv6;

/** Hosts and ranges that may be reached although they are private. */
export interface AllowList {
  /** Lower case; `.suffix` stands for every name below it. */
  readonly names: readonly string[];
  readonly ranges: readonly (readonly [Address, number])[];
}

/**
 * Where clouds hand out the credentials of the machine itself. No allow-list opens these.
 * AWS (instances, ECS, EKS), Azure, Google Cloud, Oracle, OpenStack and others: 169.254.169.254; Azure's wire server;
 * Alibaba Cloud; ECS tasks; EKS pods; Scaleway; and the IPv6 forms of them.
 */
const METADATA_ADDRESSES: ReadonlySet<string> = new Set(
  [
    '169.254.169.254',
    '168.63.129.16',
    '100.100.100.200',
    '169.254.170.2',
    '169.254.170.23',
    '169.254.42.42',
    'fd00:ec2::254',
    'fd00:ec2::23',
    'fd20:ce::254',
    'fd00:42::42',
  ].map((text) => ipaddr.parse(text).toString()),
);

const GLOBAL_UNICAST: [Address, number] = ipaddr.parseCIDR('2000::/3');

/** IPv6 ranges that carry an IPv4 address, and the byte it starts at. */
const EMBEDDING: readonly (readonly [[Address, number], readonly number[]])[] = [
  [ipaddr.parseCIDR('::/96'), [12, 13, 14, 15]],
  [ipaddr.parseCIDR('::ffff:0:0/96'), [12, 13, 14, 15]],
  [ipaddr.parseCIDR('::ffff:0:0:0/96'), [12, 13, 14, 15]],
  [ipaddr.parseCIDR('64:ff9b::/96'), [12, 13, 14, 15]],
  [ipaddr.parseCIDR('64:ff9b:1::/48'), [12, 13, 14, 15]],
  // RFC 6052, section 2.2: below a /48 prefix the address goes around bits 64 to 71.
  [ipaddr.parseCIDR('64:ff9b:1::/48'), [6, 7, 9, 10]],
  [ipaddr.parseCIDR('2002::/16'), [2, 3, 4, 5]],
];

/** Words for the ranges of ipaddr.js whose name does not say it. */
const RANGE_WORDS: Readonly<Record<string, string>> = {
  private: 'a private address',
  loopback: 'a loopback address',
  linkLocal: 'a link-local address',
  uniqueLocal: 'a private (unique local) address',
  deprecatedSiteLocal: 'a private (site-local) address',
  carrierGradeNat: 'a shared (carrier-grade NAT) address',
  ipv4Mapped: 'an IPv4-mapped address',
  rfc6052: 'a NAT64 address',
  rfc6145: 'an IPv4-translated address',
  '6to4': 'a 6to4 address',
  teredo: 'a Teredo address',
  unspecified: 'the unspecified address or its network',
  multicast: 'a multicast address',
  broadcast: 'the broadcast address',
};

/**
 * Reads the entries of ALLOWED_PRIVATE_HOSTS: host names (`crm.internal`, `*.internal` for every name below it),
 * addresses, and ranges (`10.1.0.0/16`).
 * @throws InvalidInputError naming every entry that is none of these
 */
export function parseAllowList(entries: readonly string[]): AllowList {
  const names: string[] = [];
  const ranges: (readonly [Address, number])[] = [];
  const wrong: string[] = [];
  for (const entry of entries) {
    const text = normalizeHost(entry.trim());
    const range = parseRange(text);
    if (range !== null) ranges.push(range);
    else if (/^(\*\.)?([a-z0-9_-]+\.)*[a-z0-9_-]*[a-z_][a-z0-9_-]*$/.test(text)) names.push(text.replace(/^\*/, ''));
    else wrong.push(entry);
  }
  if (wrong.length > 0) {
    throw new InvalidInputError(
      `ALLOWED_PRIVATE_HOSTS takes host names, addresses and ranges such as crm.internal, *.internal, 10.0.0.5 or 10.1.0.0/16, not ${wrong.map((entry) => JSON.stringify(entry)).join(', ')}.`,
      wrong.map((entry) => ({ pointer: '/allowedPrivateHosts', detail: `${JSON.stringify(entry)} is not a host` })),
    );
  }
  return { names, ranges };
}

/**
 * Why `address`, which `hostname` stands for, may not be reached; null when it may.
 *
 * Public addresses may. Everything else is refused unless the allow-list names the host or contains the address:
 * every range of the IANA special-purpose registries, IPv6 outside 2000::/3, and addresses that carry another
 * inside them. What is no address at all is refused too.
 */
export function refusalOf(address: string, hostname: string, allowed: AllowList): string | null {
  const parsed = parseAddress(address);
  if (parsed === null) return `${JSON.stringify(address)} is not an address`;
  if (isMetadata(parsed)) return `${address} is a cloud metadata address, which is never called`;
  if (isAllowed(parsed, normalizeHost(hostname), allowed)) return null;
  const range = parsed.range() as string;
  const global = parsed.kind() === 'ipv4' || parsed.match(GLOBAL_UNICAST);
  if (global && range === 'unicast') return null;
  return `${address} is ${RANGE_WORDS[range] ?? 'a reserved address'}`;
}

/** Lower case, without the brackets of an IPv6 literal and without the root's dot. */
export function normalizeHost(hostname: string): string {
  return hostname
    .toLowerCase()
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.$/, '');
}

function isAllowed(address: Address, hostname: string, { names, ranges }: AllowList): boolean {
  return (
    names.some((name) => (name.startsWith('.') ? hostname.endsWith(name) : hostname === name)) ||
    ranges.some(([base, bits]) => base.kind() === address.kind() && address.match(base, bits))
  );
}

function isMetadata(address: Address): boolean {
  if (METADATA_ADDRESSES.has(address.toString())) return true;
  if (address.kind() === 'ipv4') return false;
  const bytes = address.toByteArray();
  return EMBEDDING.some(
    ([range, places]) =>
      address.match(range) && METADATA_ADDRESSES.has(new ipaddr.IPv4(places.map((place) => bytes[place]!)).toString()),
  );
}

/** Only the plain forms, as DNS and sockets give them; a scoped address (`fe80::1%eth0`) is none. */
function parseAddress(text: string): Address | null {
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return ipaddr.IPv4.parse(text);
  if (text.includes(':') && !text.includes('%') && ipaddr.IPv6.isValid(text)) return ipaddr.IPv6.parse(text);
  return null;
}

function parseRange(text: string): readonly [Address, number] | null {
  const [base = '', bits, ...rest] = text.split('/');
  const address = parseAddress(normalizeHost(base));
  if (address === null || rest.length > 0) return null;
  const most = address.kind() === 'ipv4' ? 32 : 128;
  if (bits === undefined) return [address, most];
  return /^\d{1,3}$/.test(bits) && Number(bits) <= most ? [address, Number(bits)] : null;
}
