import { isIP } from 'node:net';

/** Who may be sent to: everybody's addresses; those of one's own network if that is allowed; and those that never are. */
export type AddressClass = 'public' | 'private' | 'never';

export interface ClassifiedAddress {
  readonly class: AddressClass;
  /** For messages: "loopback", "link-local". */
  readonly range: string;
}

type Range = readonly [prefix: string, class_: AddressClass, range: string];

// IANA's special-purpose registries (RFC 6890 and its updates), and where clouds keep their metadata. The first that fits counts.
const ranges4: readonly Range[] = [
  ['169.254.0.0/16', 'never', 'link-local, where instance metadata is'],
  ['100.100.100.200/32', 'never', 'instance metadata'],
  ['168.63.129.16/32', 'never', "the host's own service address"],
  ['192.0.0.0/24', 'never', 'protocol assignments'],
  ['0.0.0.0/8', 'never', 'unspecified'],
  ['127.0.0.0/8', 'private', 'loopback'],
  ['10.0.0.0/8', 'private', 'private'],
  ['172.16.0.0/12', 'private', 'private'],
  ['192.168.0.0/16', 'private', 'private'],
  ['100.64.0.0/10', 'private', 'carrier-grade NAT'],
  ['192.0.2.0/24', 'never', 'documentation'],
  ['198.51.100.0/24', 'never', 'documentation'],
  ['203.0.113.0/24', 'never', 'documentation'],
  ['192.88.99.0/24', 'never', '6to4 relay'],
  ['198.18.0.0/15', 'never', 'benchmarking'],
  ['224.0.0.0/4', 'never', 'multicast'],
  ['240.0.0.0/4', 'never', 'reserved'],
];
const ranges6: readonly Range[] = [
  ['::/128', 'never', 'unspecified'],
  ['::1/128', 'private', 'loopback'],
  ['fd00:ec2::/32', 'never', 'instance metadata'],
  ['fd20:ce::254/128', 'never', 'instance metadata'],
  ['fe80::/10', 'never', 'link-local'],
  ['fc00::/7', 'private', 'unique local'],
  ['fec0::/10', 'private', 'site-local'],
  ['ff00::/8', 'never', 'multicast'],
  ['2001:db8::/32', 'never', 'documentation'],
  ['3fff::/20', 'never', 'documentation'],
  ['2001:2::/48', 'never', 'benchmarking'],
  ['2001::/32', 'never', 'Teredo'],
  ['2001::/23', 'never', 'protocol assignments'],
  ['2000::/3', 'public', 'global unicast'],
];
// An IPv4 address within an IPv6 one: bits before it, and where it is. What it embeds decides.
const embeddings: readonly (readonly [prefix: string, at: number])[] = [
  ['::ffff:0:0/96', 12],
  ['::ffff:0:0:0/96', 12],
  ['64:ff9b::/96', 12],
  ['2002::/16', 2],
];

const parse = (list: readonly Range[]) => list.map(([prefix, ...rest]) => [parsePrefix(prefix), ...rest] as const);
const parsed4 = parse(ranges4);
const parsed6 = parse(ranges6);
const parsedEmbeddings = embeddings.map(([prefix, at]) => ({ prefix: parsePrefix(prefix), at }));

/** What kind of address it is, by its bytes and whatever IPv4 address it embeds; what is no address at all is `never`. */
export function classifyAddress(address: string): ClassifiedAddress {
  const bytes = parseAddress(address);
  if (bytes === undefined) return { class: 'never', range: 'no address' };
  return bytes.length === 4 ? (find(bytes, parsed4) ?? { class: 'public', range: 'global' }) : classify6(bytes);
}

function classify6(bytes: Uint8Array): ClassifiedAddress {
  const listed = find(bytes, parsed6.slice(0, 2));
  if (listed !== undefined) return listed;
  const embedding = parsedEmbeddings.find(({ prefix }) => startsWith(bytes, prefix));
  if (embedding !== undefined) return find(bytes.slice(embedding.at, embedding.at + 4), parsed4) ?? { class: 'public', range: 'global' };
  // ISATAP (RFC 5214) puts it behind 0:5efe, whatever the prefix.
  if ((bytes[8]! & 0xfd) === 0 && bytes[9] === 0 && bytes[10] === 0x5e && bytes[11] === 0xfe) return { class: 'never', range: 'ISATAP' };
  // Only 2000::/3 is given out: all else, ::a.b.c.d and local NAT64 among it, is not meant to be reached from here.
  return find(bytes, parsed6) ?? { class: 'never', range: 'not global unicast' };
}

function find(bytes: Uint8Array, list: typeof parsed4): ClassifiedAddress | undefined {
  const found = list.find(([prefix]) => startsWith(bytes, prefix));
  return found && { class: found[1], range: found[2] };
}

interface Prefix {
  readonly bytes: Uint8Array;
  readonly bits: number;
}

function parsePrefix(text: string): Prefix {
  const [address = '', bits = ''] = text.split('/');
  return { bytes: parseAddress(address)!, bits: Number(bits) };
}

function startsWith(bytes: Uint8Array, prefix: Prefix): boolean {
  for (let i = 0, left = prefix.bits; left > 0; i++, left -= 8) {
    const mask = left >= 8 ? 0xff : (0xff << (8 - left)) & 0xff;
    if (((bytes[i]! ^ prefix.bytes[i]!) & mask) !== 0) return false;
  }
  return true;
}

/** Four or sixteen bytes; undefined for what is no address in its usual form, and for one with a zone. */
function parseAddress(text: string): Uint8Array | undefined {
  const version = text.includes('%') ? 0 : isIP(text);
  if (version === 0) return undefined;
  return version === 4 ? Uint8Array.from(text.split('.'), Number) : parseAddress6(text);
}

function parseAddress6(text: string): Uint8Array {
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(text);
  const hex = (high: string, low: string) => (Number(high) * 256 + Number(low)).toString(16);
  const plain = dotted ? `${dotted[1]}${hex(dotted[2]!, dotted[3]!)}:${hex(dotted[4]!, dotted[5]!)}` : text;
  const [head = '', tail] = plain.split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const groups = [...before, ...Array<string>(8 - before.length - after.length).fill('0'), ...after];
  return Uint8Array.from(groups.flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 0xff]));
}
