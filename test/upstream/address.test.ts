import type { LookupAddress } from 'node:dns';
import { expect, test } from 'vitest';
import { AddressRefused, isRefused, lookupAllowed, refusedLiteral } from '../../src/upstream/address.ts';

test.each([
  '169.254.169.254',
  '169.254.0.1',
  '0.0.0.0',
  '0.1.2.3',
  '224.0.0.1',
  '239.255.255.255',
  '255.255.255.255',
  'fe80::1',
  'febf::1',
  'ff02::1',
  '::',
  'fd00:ec2::254',
  '::ffff:169.254.169.254',
  '::ffff:a9fe:a9fe',
])('UP6: %s is refused', (address) => {
  expect(isRefused(address)).toBe(true);
});

test.each([
  '127.0.0.1',
  '::1',
  '10.0.0.1',
  '192.168.1.20',
  '172.16.0.9',
  '100.64.0.1',
  'fd12::1',
  '1.2.3.4',
  '2001:db8::1',
])('%s is fine: loopback, private and public addresses are where models run', (address) => {
  expect(isRefused(address)).toBe(false);
});

test.each([
  'http://169.254.169.254/v1',
  'http://0xa9fea9fe',
  'http://2852039166',
  'http://[::ffff:169.254.169.254]',
  'http://0',
  'http://0xa9.254.43518',
  'http://0251.0376.0251.0376',
  'http://169.254.169.254.',
  'http://user:secret@169.254.169.254',
])('UP6: the literal in %s is refused, however it is written', (url) => {
  expect(refusedLiteral(new URL(url))).toBeInstanceOf(AddressRefused);
});

test('a name is not a literal', () => {
  expect(refusedLiteral(new URL('http://localhost:1'))).toBeUndefined();
});

function lookUp(host: string): Promise<string | LookupAddress[]> {
  return new Promise((resolve, reject) => {
    lookupAllowed(host, { all: true }, (error, found) => (error === null ? resolve(found) : reject(error)));
  });
}

test('a name is looked up, and what it stands for is checked as well', async () => {
  expect(await lookUp('127.0.0.1')).toEqual([{ address: '127.0.0.1', family: 4 }]);
  await expect(lookUp('169.254.169.254')).rejects.toBeInstanceOf(AddressRefused);
  await expect(lookUp('0.0.0.0')).rejects.toThrow('127.0.0.1');
  await expect(lookUp('no-such-host.invalid')).rejects.toMatchObject({ syscall: 'getaddrinfo' });
});
