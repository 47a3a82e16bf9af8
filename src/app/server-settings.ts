import { SwarmError } from '../contract/errors.ts';
import type { Environment } from './environment.ts';

/** What the operator of a server decides through its environment. */
export interface ServerSwitches {
  /** Calls a minute for one key or address; null: no limit; undefined: the usual ones. */
  rateLimit: number | null | undefined;
  /** Clone URLs may be paths, `file:` and private addresses. */
  allowLocalClones: boolean;
  /** Webhooks may lead to addresses that are not out on the Internet. */
  allowPrivateWebhooks: boolean;
  openRegistration: boolean;
  sandbox: 'required' | 'auto' | 'off';
  adminToken: string | undefined;
  /** The Redis that several servers share. */
  redisUrl: string | undefined;
  /** The smallest level of what is logged. */
  logLevel: 'debug' | 'info' | 'warn' | 'error' | 'silent';
}

const SHORTEST_TOKEN = 20;

export function serverSwitches({ variables }: Environment): ServerSwitches {
  const adminToken = variables.GITSWARM_ADMIN_TOKEN || undefined;
  if (adminToken !== undefined && !new RegExp(`^[\\x21-\\x7e]{${SHORTEST_TOKEN},300}$`).test(adminToken)) {
    throw refused('GITSWARM_ADMIN_TOKEN', `at least ${SHORTEST_TOKEN} characters without spaces`);
  }
  return {
    rateLimit: rateLimit(variables.GITSWARM_RATE_LIMIT),
    allowLocalClones: flag('GITSWARM_ALLOW_LOCAL_CLONES', variables.GITSWARM_ALLOW_LOCAL_CLONES),
    allowPrivateWebhooks: flag('GITSWARM_ALLOW_PRIVATE_WEBHOOKS', variables.GITSWARM_ALLOW_PRIVATE_WEBHOOKS),
    openRegistration: flag('GITSWARM_OPEN_REGISTRATION', variables.GITSWARM_OPEN_REGISTRATION),
    sandbox: oneOf('GITSWARM_SANDBOX', variables.GITSWARM_SANDBOX, ['required', 'auto', 'off']),
    adminToken,
    redisUrl: redisUrl(variables.REDIS_URL),
    logLevel: oneOf('GITSWARM_LOG_LEVEL', variables.GITSWARM_LOG_LEVEL, [
      'info',
      'debug',
      'warn',
      'error',
      'silent',
    ]),
  };
}

function redisUrl(text: string | undefined): string | undefined {
  if (text === undefined || text === '') return undefined;
  if (text.startsWith('/') || (/^rediss?:\/\//.test(text) && URL.canParse(text))) return text;
  throw refused('REDIS_URL', 'redis://host:6379, rediss://user:password@host:6379 or the path of a socket');
}

function rateLimit(text: string | undefined): number | null | undefined {
  if (text === undefined || text === '') return undefined;
  if (text === 'off') return null;
  const match = /^(\d{1,9})\/min$/.exec(text);
  if (match && Number(match[1]) > 0) return Number(match[1]);
  throw refused('GITSWARM_RATE_LIMIT', '"off" or a number such as 600/min');
}

function flag(name: string, text: string | undefined): boolean {
  if (text === undefined || text === '' || text === '0') return false;
  if (text === '1') return true;
  throw refused(name, '1 or 0');
}

function oneOf<const C extends string>(name: string, text: string | undefined, choices: [C, ...C[]]): C {
  if (text === undefined || text === '') return choices[0];
  const found = choices.find((choice) => choice === text);
  if (found) return found;
  throw refused(name, `one of ${choices.join(', ')}`);
}

function refused(name: string, wants: string): SwarmError {
  return new SwarmError('usage', `${name} wants ${wants}.`, { fix: `Change or unset ${name}.` });
}
