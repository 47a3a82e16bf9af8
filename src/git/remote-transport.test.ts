import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { fixtureEnv, gitFixture } from '../../test/support/git-fixture.ts';
import { tempDir } from '../../test/support/temp-dir.ts';
import { isPublicAddress } from '../base/public-address.ts';
import { cloneBare } from './clone.ts';
import { gitEnv } from './git-env.ts';
import { pinTo, safeTransport } from './remote-transport.ts';

const place = { dir: '/', env: gitEnv(fixtureEnv) };
const local = { allowLocal: false };
const found = { ...local, lookup: async () => ['8.8.8.8', '2606:4700::1'] };

describe('where a server may be sent', () => {
  it.each([
    ...['/srv/x', './x', 'x', 'file:///etc', 'http://127.0.0.1/x', 'http://localhost/x', 'https://[::1]/x'],
    ...['http://10.0.0.1/x', 'http://169.254.169.254/latest', 'git@127.0.0.1:x', 'ssh://git@192.168.1.1/x'],
    ...[
      'http://[::ffff:10.0.0.1]/x',
      'http://2130706433/x',
      'http://8.8.8.8\\@127.0.0.1/x',
      'git://8.8.8.8/x',
    ],
    ...['ext::sh -c id', 'ext::id', '--upload-pack=id', 'ftp://example.org/x', 'https://a b/x'],
    ...['https://name.invalid/x', 'http://%31%32%37.0.0.1/x', 'http://8.8.8.8@127.0.0.1/x'],
  ])('refuses %s', (url) =>
    expect(safeTransport(place, url, local)).rejects.toMatchObject({ code: 'invalid' }),
  );

  it('refuses a name of which one address is not public', async () => {
    const lookup = async () => ['8.8.8.8', '127.0.0.1'];
    const asked = safeTransport(place, 'https://both.example/x', { ...local, lookup });
    await expect(asked).rejects.toMatchObject({ code: 'invalid' });
  });

  it('takes paths where the operator allows them, but never options and programs', async () => {
    expect(await safeTransport(place, '/srv/x', { allowLocal: true })).toMatchObject({ url: '/srv/x' });
    for (const url of ['-x', 'ext::id', '/a\nb'])
      await expect(safeTransport(place, url, { allowLocal: true })).rejects.toMatchObject({
        code: 'invalid',
      });
  });

  it('knows private addresses in every dress', () => {
    for (const address of ['::', '::1', '100.64.1.1', '::ffff:127.0.0.1', 'fe80::1', '224.0.0.1', 'nonsense'])
      expect(isPublicAddress(address)).toBe(false);
    expect(isPublicAddress('1.1.1.1')).toBe(true);
  });
});

describe('what was looked at is where git goes', () => {
  it('says so to http', async () => {
    const { url, settings } = await safeTransport(place, 'https://Name.example:8443/x.git', found);
    expect(url).toBe('https://name.example:8443/x.git');
    expect(settings).toEqual([
      ['http.followRedirects', 'false'],
      ['http.curloptResolve', 'name.example:8443:8.8.8.8,[2606:4700::1]'],
    ]);
    expect((await safeTransport(place, 'https://8.8.8.8/x', local)).settings).toHaveLength(1);
  });

  it('over http to the address, whatever the name says by now, and nowhere else', async () => {
    const git = gitFixture();
    git.commit('Begin', { 'a.txt': 'x' });
    git.git('update-server-info');
    let redirect = false;
    const server = createServer((request, reply) => {
      const path = join(git.dir, '.git', (request.url ?? '').split('?')[0]?.replace('/it.git', '') ?? '');
      try {
        if (redirect) reply.writeHead(302, { location: `http://127.0.0.1:${port}${request.url}` }).end();
        else reply.end(readFileSync(path));
      } catch {
        reply.writeHead(404).end();
      }
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const url = `http://name.invalid:${port}/it.git`;
    const target = { url, protocol: 'http', host: 'name.invalid', port } as const;
    const transport = await pinTo(place, target, ['127.0.0.1']);
    const directory = `${tempDir('clone')}/it.git`;
    await cloneBare(transport, directory, { inheritedEnv: fixtureEnv });
    expect(git.gitIn(directory, 'rev-parse', 'HEAD')).toBe(git.oid('HEAD'));
    redirect = true;
    const again = cloneBare(transport, `${tempDir('clone')}/it.git`, { inheritedEnv: fixtureEnv });
    await expect(again).rejects.toMatchObject({ code: 'invalid' });
  });

  it('over ssh to the address, with the keys of the name and the way of the operator', async () => {
    const dir = tempDir('ssh');
    const script = join(dir, 'ssh.sh');
    writeFileSync(script, `#!/bin/sh\necho "$@" > ${dir}/said\nexit 1\n`);
    chmodSync(script, 0o755);
    const inheritedEnv = { ...fixtureEnv, GIT_SSH_COMMAND: `${script} -i key` };
    const transport = await safeTransport(
      { dir, env: gitEnv(inheritedEnv) },
      'git@name.example:x.git',
      found,
    );
    await expect(cloneBare(transport, `${dir}/it.git`, { inheritedEnv })).rejects.toMatchObject({
      code: 'invalid',
    });
    const said = readFileSync(join(dir, 'said'), 'utf8');
    expect(said).toContain('-i key -o HostName=8.8.8.8 -o HostKeyAlias=name.example -o ProxyCommand=none');
  });
});
