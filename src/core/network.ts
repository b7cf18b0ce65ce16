import { isIPv4 } from 'node:net';
import ipaddr from 'ipaddr.js';

/** What addresses are counted by: an IPv6 customer has a /64 of addresses at least, so these count as one. */
export function networkOf(address: string): string {
  const bare = address.startsWith('::ffff:') ? address.slice('::ffff:'.length) : address;
  if (!bare.includes(':')) return bare;
  const [head = '', tail] = bare.split('%')[0]!.split('::');
  const groups = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const full =
    tail === undefined ? groups : [...groups, ...Array(8 - groups.length - after.length).fill('0'), ...after];
  return full.slice(0, 4).join(':');
}

/** Whether an address is of this machine or of a private network, as that of a load balancer in front is. */
export function isNearby(address: string): boolean {
  const bare = address.startsWith('::ffff:') ? address.slice('::ffff:'.length) : address.split('%')[0]!;
  if (!isIPv4(bare) && !ipaddr.IPv6.isValid(bare)) return false;
  return ['loopback', 'private', 'uniqueLocal', 'linkLocal'].includes(ipaddr.parse(bare).range());
}
