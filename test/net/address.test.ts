import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { classifyAddress } from '#net/address.ts';

const table: readonly (readonly [address: string, class_: string])[] = [
  ['8.8.8.8', 'public'],
  ['1.1.1.1', 'public'],
  ['100.63.255.255', 'public'],
  ['100.128.0.0', 'public'],
  ['172.15.255.255', 'public'],
  ['172.32.0.0', 'public'],
  ['192.0.1.0', 'public'],
  ['198.17.255.255', 'public'],
  ['198.20.0.0', 'public'],
  ['223.255.255.255', 'public'],
  ['127.0.0.1', 'private'],
  ['127.255.255.254', 'private'],
  ['10.0.0.1', 'private'],
  ['172.16.0.1', 'private'],
  ['172.31.255.255', 'private'],
  ['192.168.0.1', 'private'],
  ['100.64.0.1', 'private'],
  ['100.127.255.255', 'private'],
  ['0.0.0.0', 'never'],
  ['0.1.2.3', 'never'],
  ['169.254.169.254', 'never'],
  ['169.254.170.2', 'never'],
  ['100.100.100.200', 'never'],
  ['168.63.129.16', 'never'],
  ['192.0.0.192', 'never'],
  ['192.0.2.1', 'never'],
  ['198.51.100.7', 'never'],
  ['203.0.113.9', 'never'],
  ['198.18.0.1', 'never'],
  ['198.19.255.255', 'never'],
  ['192.88.99.1', 'never'],
  ['224.0.0.1', 'never'],
  ['239.255.255.255', 'never'],
  ['240.0.0.1', 'never'],
  ['255.255.255.255', 'never'],
  ['2606:4700:4700::1111', 'public'],
  ['2a00:1450:4001:81b::200e', 'public'],
  ['::1', 'private'],
  ['fd12:3456::1', 'private'],
  ['fec0::1', 'private'],
  ['::', 'never'],
  ['fe80::1', 'never'],
  ['febf::1', 'never'],
  ['fe80::1%eth0', 'never'],
  ['fd00:ec2::254', 'never'],
  ['fd00:ec2::23', 'never'],
  ['fd20:ce::254', 'never'],
  ['ff02::1', 'never'],
  ['2001:db8::1', 'never'],
  ['3fff::1', 'never'],
  ['2001:2::1', 'never'],
  ['2001::1', 'never'],
  ['2001:20::1', 'never'],
  ['100::1', 'never'],
  ['5f00::1', 'never'],
  ['4000::1', 'never'],
  ['::ffff:127.0.0.1', 'private'],
  ['::ffff:7f00:1', 'private'],
  ['::ffff:169.254.169.254', 'never'],
  ['::ffff:a9fe:a9fe', 'never'],
  ['::ffff:8.8.8.8', 'public'],
  ['::ffff:0:169.254.169.254', 'never'],
  ['::ffff:0:10.0.0.1', 'private'],
  ['64:ff9b::169.254.169.254', 'never'],
  ['64:ff9b::10.0.0.1', 'private'],
  ['64:ff9b::8.8.8.8', 'public'],
  ['64:ff9b:1::a9fe:a9fe', 'never'],
  ['2002:a9fe:a9fe::1', 'never'],
  ['2002:7f00:1::1', 'private'],
  ['2002:808:808::1', 'public'],
  ['::127.0.0.1', 'never'],
  ['::8.8.8.8', 'never'],
  ['2606:4700::5efe:10.0.0.1', 'never'],
  ['2606:4700::200:5efe:127.0.0.1', 'never'],
  ['127.1', 'never'],
  ['0x7f000001', 'never'],
  ['localhost', 'never'],
  ['', 'never'],
];

describe('the class of an address', () => {
  it.each(table)('%s is %s', (address, class_) => expect(classifyAddress(address).class).toBe(class_));

  it('of an IPv4 address stays what it is when it is written as IPv6', () => {
    fc.assert(
      fc.property(fc.ipV4(), (address) => {
        for (const prefix of ['::ffff:', '::ffff:0:', '64:ff9b::']) {
          expect(classifyAddress(prefix + address)).toEqual(classifyAddress(address));
        }
        const groups = address.split('.').map(Number);
        const hex = `${((groups[0]! << 8) | groups[1]!).toString(16)}:${((groups[2]! << 8) | groups[3]!).toString(16)}`;
        expect(classifyAddress(`2002:${hex}::1`)).toEqual(classifyAddress(address));
      }),
    );
  });

  it('is found for whatever an IPv6 address is written as', () => {
    fc.assert(
      fc.property(fc.ipV6(), (address) => {
        const canonical = new URL(`http://[${address}]`).hostname.slice(1, -1);
        expect(classifyAddress(canonical)).toEqual(classifyAddress(address));
      }),
    );
  });
});
