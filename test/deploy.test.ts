import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { commands } from '../src/cli/commands/server.ts';
import { warnUntested } from './support/process-fixture.ts';

const root = resolve(import.meta.dirname, '..');
const read = (path: string) => readFileSync(resolve(root, path), 'utf8');

const server = commands.find(({ name }) => name === 'server');
const flags = (server?.options ?? []).map((option) => option.flags.split(' ')[0] ?? '');
const flagsIn = (text: string) => text.match(/(?<=[\s"[])--[a-z-]+/g) ?? [];

it('the compose file is whole: what services wait for, keep and are told is there', () => {
  const { services, volumes } = parse(read('deploy/compose.yml'));
  expect(Object.keys(services).sort()).toEqual(['database', 'redis', 'server']);
  for (const service of Object.values<{ volumes?: string[]; depends_on?: object }>(services)) {
    for (const volume of service.volumes ?? []) expect(Object.keys(volumes)).toContain(volume.split(':')[0]);
    for (const name of Object.keys(service.depends_on ?? {}))
      expect(services[name]).toHaveProperty('healthcheck');
  }
  const [, place] = services.server.command;
  expect(new URL(place)).toMatchObject({ hostname: 'database', username: 'gitswarm', password: '' });
  expect(new URL(services.server.environment.REDIS_URL).hostname).toBe('redis');
  expect(flags).toContain(services.server.command[0]);
});

it('the image and the unit start the server with flags that it has', () => {
  const entry = /^ENTRYPOINT (.*)$/m.exec(read('deploy/Dockerfile'))?.[1] ?? '';
  expect(JSON.parse(entry).slice(0, 2)).toEqual(['gitswarm', 'server']);
  const start = /^ExecStart=(.*)$/m.exec(read('deploy/gitswarm.service'))?.[1] ?? '';
  expect(start).toContain('gitswarm server');
  for (const text of [entry, start]) {
    expect(flagsIn(text).length).toBeGreaterThan(1);
    expect(flags).toEqual(expect.arrayContaining(flagsIn(text)));
  }
});

it('systemd takes the unit as it is', () => {
  const checked = spawnSync('systemd-analyze', ['verify', resolve(root, 'deploy/gitswarm.service')], {
    encoding: 'utf8',
  });
  if (checked.error) return warnUntested('the systemd unit', 'systemd-analyze is not installed');
  expect(checked.stderr).not.toContain('gitswarm.service');
  expect(checked.status).toBe(0);
});

it('every variable that a server reads is in its guide', () => {
  const names = read('src/app/server-settings.ts').matchAll(/variables\.([A-Z_]+)/g);
  const guide = read('docs/server.md');
  const missing = [...names].map(([, name]) => name ?? '').filter((name) => !guide.includes(`\`${name}`));
  expect(missing).toEqual([]);
});
