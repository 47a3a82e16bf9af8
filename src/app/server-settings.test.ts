import { expect, it } from 'vitest';
import { readEnvironment } from './environment.ts';
import { serverSwitches } from './server-settings.ts';

const switches = (variables: Record<string, string>) => serverSwitches(readEnvironment(variables));

it('is careful where nothing is said', () => {
  expect(switches({})).toEqual({
    rateLimit: undefined,
    allowLocalClones: false,
    allowPrivateWebhooks: false,
    openRegistration: false,
    sandbox: 'required',
    adminToken: undefined,
    redisUrl: undefined,
    logLevel: 'info',
  });
});

it('reads what an operator says', () => {
  expect(switches({ GITSWARM_RATE_LIMIT: 'off' }).rateLimit).toBeNull();
  expect(switches({ GITSWARM_RATE_LIMIT: '600/min' }).rateLimit).toBe(600);
  expect(switches({ GITSWARM_OPEN_REGISTRATION: '1', GITSWARM_SANDBOX: 'auto' })).toMatchObject({
    openRegistration: true,
    sandbox: 'auto',
  });
});

it.each([
  ['GITSWARM_RATE_LIMIT', '0/min'],
  ['GITSWARM_RATE_LIMIT', '600'],
  ['GITSWARM_OPEN_REGISTRATION', 'yes'],
  ['GITSWARM_SANDBOX', 'no'],
  ['REDIS_URL', 'localhost:6379'],
  ['GITSWARM_ADMIN_TOKEN', 'short'],
  ['GITSWARM_ADMIN_TOKEN', 'with spaces in it, long enough'],
])('refuses %s=%s and names it', (name, value) => {
  expect(() => switches({ [name]: value })).toThrow(name);
});
