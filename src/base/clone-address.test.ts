import { expect, it } from 'vitest';
import { addressForms, isSameAddress } from './clone-address.ts';

it.each([
  ['https://host.example/team/demo.git', 'https://host.example/team/demo/'],
  ['https://name:secret@host.example/team/demo', 'git@HOST.example:team/demo.git'],
  ['ssh://git@host.example:22/team/demo.git', 'git@host.example:/team/demo'],
  ['file:///srv/demo.git', '/srv/demo'],
])('%s and %s are one place', (one, other) => {
  expect(isSameAddress(one, other)).toBe(true);
  expect(isSameAddress(other, one)).toBe(true);
});

it.each([
  ['https://host.example/team/demo', 'https://host.example/fork/demo'],
  ['https://host.example/team/demo', 'https://other.example/team/demo'],
  ['https://host.example:8443/team/demo', 'https://host.example/team/demo'],
  ['/srv/demo.git', '/srv/fork.git'],
])('%s and %s are two', (one, other) => {
  expect(isSameAddress(one, other)).toBe(false);
});

it('the forms of an address hold no password and differ by `.git` alone', () => {
  expect(addressForms('https://name:secret@host/demo.git/')).toEqual([
    'https://host/demo.git',
    'https://host/demo',
  ]);
});
