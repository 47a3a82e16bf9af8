import { expect, test } from 'vitest';
import { commandEnvironment } from './command-environment.ts';

test('a command gets what programs need and no secret of ours', () => {
  const base = {
    ...{ PATH: '/opt/bin', HOME: '/home/ada', LC_TIME: 'de_DE.UTF-8', GITSWARM_RUN: 'outer' },
    ...{ GITHUB_TOKEN: 'x', API_KEY: 'x', LC_SECRET: 'x', PGPASSWORD: 'x', NODE_OPTIONS: '--inspect' },
    ...{
      GIT_DIR: '/elsewhere',
      LD_PRELOAD: '/evil.so',
      HTTPS_PROXY: 'http://user:pw@proxy',
      NO_PROXY: 'local',
    },
  };
  expect(commandEnvironment({ base })).toEqual({
    ...{ PATH: '/opt/bin', HOME: '/home/ada', LC_TIME: 'de_DE.UTF-8', GITSWARM_RUN: 'outer' },
    ...{ LANG: 'C.UTF-8', TERM: 'dumb', CI: '1', NO_PROXY: 'local' },
  });
});

test('what the caller hands over on purpose arrives, and wins', () => {
  const environment = commandEnvironment({
    base: { PATH: '/a', TERM: undefined },
    extra: { PATH: '/b', GITSWARM_SESSION: 's', AGENT_KEY: 'k', NOTHING: undefined },
  });
  expect(environment).toMatchObject({ PATH: '/b', GITSWARM_SESSION: 's', AGENT_KEY: 'k', TERM: 'dumb' });
  expect(environment).not.toHaveProperty('NOTHING');
});
