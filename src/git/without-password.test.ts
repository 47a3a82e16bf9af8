import { expect, it } from 'vitest';
import { withoutPassword } from '../base/without-password.ts';

it.each([
  [
    "fatal: unable to access 'https://bob:s3cret@host/x.git/': 403",
    "fatal: unable to access 'https://host/x.git/': 403",
  ],
  ['To ssh://git@host:22/x.git and https://token@host/y', 'To ssh://host:22/x.git and https://host/y'],
  ['git@host:x.git is no URL; a@b neither', 'git@host:x.git is no URL; a@b neither'],
])('takes names and passwords out of addresses: %s', (words, clean) => {
  expect(withoutPassword(words)).toBe(clean);
});
