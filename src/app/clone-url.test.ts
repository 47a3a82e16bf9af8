import { expect, it } from 'vitest';
import { isPublicAddress } from '../base/public-address.ts';
import { checkCloneUrl } from './clone-url.ts';

const local = { allowLocal: false };

it.each([
  ...[
    '/srv/x',
    './x',
    'x',
    'file:///etc',
    'http://127.0.0.1/x',
    'http://localhost/x',
    'https://[::1]/x',
    'http://10.0.0.1/x',
  ],
  ...[
    'http://169.254.169.254/latest',
    'git@127.0.0.1:x',
    'ssh://git@192.168.1.1/x',
    'http://[::ffff:10.0.0.1]/x',
    'http://2130706433/x',
  ],
  ...[
    'ext::sh -c id',
    'ext::id',
    '--upload-pack=id',
    'ftp://example.org/x',
    'https://a b/x',
    'https://name.invalid/x',
  ],
])('refuses %s', (url) => expect(checkCloneUrl(url, local)).rejects.toMatchObject({ code: 'invalid' }));

it.each(['https://8.8.8.8/x.git', 'git@8.8.8.8:x.git', 'ssh://git@[2606:4700::1]/x'])('takes %s', (url) =>
  expect(checkCloneUrl(url, local)).resolves.toBeUndefined(),
);

it('takes paths where the operator allows them, but never options and programs', async () => {
  await checkCloneUrl('/srv/x', { allowLocal: true });
  for (const url of ['-x', 'ext::id', '/a\nb'])
    await expect(checkCloneUrl(url, { allowLocal: true })).rejects.toMatchObject({ code: 'invalid' });
});

it('knows private addresses in every dress', () => {
  for (const address of ['::', '::1', '100.64.1.1', '::ffff:127.0.0.1', 'fe80::1', '224.0.0.1', 'nonsense'])
    expect(isPublicAddress(address)).toBe(false);
  expect(isPublicAddress('1.1.1.1')).toBe(true);
});
