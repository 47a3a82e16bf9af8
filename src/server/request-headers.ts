import type { FastifyRequest } from 'fastify';
import { isId } from '../base/ids.ts';
import { SwarmError } from '../contract/errors.ts';

type Headers = FastifyRequest['headers'];

/** `X-GitSwarm-Agent`: the agent that the request says it comes from, by its id or name. */
export function headerAgent(headers: Headers): string | undefined {
  const given = headers['x-gitswarm-agent'];
  if (given === undefined) return undefined;
  if (typeof given === 'string' && /^[\x20-\x7e]{1,300}$/.test(given)) return given;
  throw new SwarmError(
    'invalid',
    'X-GitSwarm-Agent has to be the id of an agent, or its name in plain ASCII.',
  );
}

/** `X-GitSwarm-Repo`: the repository in which what the request names is looked up, by its id. */
export function headerRepo(headers: Headers): string | undefined {
  const given = headers['x-gitswarm-repo'];
  if (given === undefined) return undefined;
  if (typeof given === 'string' && isId(given)) return given;
  throw new SwarmError('invalid', 'X-GitSwarm-Repo has to be the full id of a repository.', {
    fix: 'GET /api/v1/repos?name=<name> answers it.',
  });
}
