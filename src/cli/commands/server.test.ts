import { join } from 'node:path';
import { expect, it } from 'vitest';
import { CliFixture } from '../../../test/support/cli.ts';
import { gitFixture } from '../../../test/support/git-fixture.ts';
import { makeServer } from '../../../test/support/server.ts';
import { tempDir } from '../../../test/support/temp-dir.ts';

it('makes links to a running server from its directory, for the administrator and for whoever is named', async () => {
  const data = tempDir('server');
  const server = await makeServer({ data });
  await server.agent('coder');
  const git = gitFixture({ branch: 'main' });
  const cli = new CliFixture(git, git.dir);
  const link = (...args: string[]) => cli.data(['server', 'login-link', '--data', data, ...args]);
  const headers = { origin: server.url, 'x-gitswarm-csrf': '1' };
  for (const [made, name] of [
    [link('--url', `${server.url}/`), 'admin'],
    [link('--agent', 'coder'), 'coder'],
  ]) {
    expect(made.agent).toBe(name);
    const token = new URL(made.url).searchParams.get('token');
    const reply = await server.request('POST //login', { body: { token }, headers });
    expect(reply).toMatchObject({ status: 200, body: { agent: { name } } });
  }
  const elsewhere = cli.json(['server', 'login-link', '--data', join(data, 'nothing')]);
  expect(elsewhere).toMatchObject({ ok: false, error: { code: 'not_found' } });
});
