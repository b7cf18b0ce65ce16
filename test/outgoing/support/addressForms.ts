/** Every way that URL parsers, C libraries and resolvers are known to take for writing an IPv4 address. */
export function ipv4Forms(address: string): string[] {
  const [a = 0, b = 0, c = 0, d = 0] = address.split('.').map(Number);
  const whole = ((a * 256 + b) * 256 + c) * 256 + d;
  const hex = (value: number, width = 0) => `0x${value.toString(16).padStart(width, '0')}`;
  const octal = (value: number, width = 0) => `0${value.toString(8).padStart(width, '0')}`;
  const low = c * 256 + d;
  const lower = (b * 256 + c) * 256 + d;
  return [
    address,
    `${address}.`,
    `${a}.${b}.${low}`,
    `${a}.${lower}`,
    `${whole}`,
    hex(whole),
    hex(whole).toUpperCase().replace('X', 'x'),
    hex(whole, 12),
    octal(whole),
    octal(whole, 20),
    [a, b, c, d].map((part) => hex(part)).join('.'),
    [a, b, c, d].map((part) => hex(part, 2)).join('.'),
    [a, b, c, d].map((part) => octal(part)).join('.'),
    [a, b, c, d].map((part) => octal(part, 6)).join('.'),
    `${hex(a)}.${octal(b)}.${low}`,
    `${octal(a)}.${hex(lower)}`,
    `${hex(a)}.${lower}`,
    `${a}.${hex(b)}.${octal(c)}.${d}`,
    // Percent-encoded, full-width and circled digits, ideographic and half-width full stops: UTS 46 maps them.
    address.replaceAll('.', '%2e'),
    [...address].map((char) => `%${char.charCodeAt(0).toString(16)}`).join(''),
    [...address].map((char) => (char === '.' ? '。' : String.fromCodePoint(0xff10 + Number(char)))).join(''),
    address.replaceAll('.', '｡'),
    [...address]
      .map((char) => (char === '.' || char === '0' ? char : String.fromCodePoint(0x245f + Number(char))))
      .join(''),
  ];
}

/** Every way that an IPv6 address is known to carry or mean an IPv4 one. */
export function ipv6Disguises(address: string): string[] {
  const [a = 0, b = 0, c = 0, d = 0] = address.split('.').map(Number);
  const high = (a * 256 + b).toString(16);
  const low = (c * 256 + d).toString(16);
  const inverted = [0xffff - (a * 256 + b), 0xffff - (c * 256 + d)].map((part) => part.toString(16)).join(':');
  return [
    `[::ffff:${address}]`,
    `[::ffff:${high}:${low}]`,
    `[0:0:0:0:0:ffff:${address}]`,
    `[0000:0000:0000:0000:0000:FFFF:${high}:${low}]`,
    `[::${address}]`,
    `[::${high}:${low}]`,
    `[::ffff:0:${address}]`,
    `[::ffff:0:${high}:${low}]`,
    `[64:ff9b::${address}]`,
    `[64:ff9b::${high}:${low}]`,
    `[64:ff9b:1::${high}:${low}]`,
    `[64:ff9b:1:${high}:0:${low}::]`,
    `[2002:${high}:${low}::]`,
    `[2002:${high}:${low}::1]`,
    `[2001:0:4136:e378:8000:63bf:${inverted}]`,
    `[2001:0:${high}:${low}::1]`,
  ];
}

/** Private, local, special and metadata IPv4 addresses: one from each range, and both ends of the large ones. */
export const INTERNAL_IPV4 = [
  '127.0.0.1',
  '127.255.255.254',
  '0.0.0.0',
  '0.0.0.1',
  '10.0.0.1',
  '10.255.255.255',
  '172.16.0.1',
  '172.31.255.255',
  '192.168.0.1',
  '192.168.255.255',
  '169.254.0.1',
  '169.254.169.254',
  '168.63.129.16',
  '100.64.0.1',
  '100.100.100.200',
  '100.127.255.255',
  '192.0.0.1',
  '192.0.2.1',
  '198.18.0.1',
  '198.19.255.255',
  '198.51.100.1',
  '203.0.113.1',
  '192.88.99.1',
  '224.0.0.1',
  '239.255.255.255',
  '240.0.0.1',
  '255.255.255.255',
];

export const INTERNAL_IPV6 = [
  '[::]',
  '[::1]',
  '[0:0:0:0:0:0:0:1]',
  '[0000:0000:0000:0000:0000:0000:0000:0001]',
  '[fc00::1]',
  '[fd00:ec2::254]',
  '[fd20:ce::254]',
  '[fdff:ffff::1]',
  '[fe80::1]',
  '[febf::1]',
  '[fec0::1]',
  '[ff02::1]',
  '[ff0e::1]',
  '[100::1]',
  '[2001:db8::1]',
  '[2001:2::1]',
  '[2001:10::1]',
  '[2001:20::1]',
  '[3fff::1]',
  '[5f00::1]',
  '[4000::1]',
  '[1fff::1]',
  '[e000::1]',
];
