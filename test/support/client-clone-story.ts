import { newId } from '../../src/base/ids.ts';
import type { DatabaseMaker } from './databases.ts';
import { makeServer, type RequestOptions } from './server.ts';
import { factsOf, oid } from './stream-story.ts';

type Agent = { id: string; name: string; key: string };

/** A private repository whose clone is with the clients of a server, and who may do what in it. */
export async function startClientClone(makeDatabase: DatabaseMaker) {
  const switches = { sandbox: 'off' as const };
  const server = await makeServer({ place: await makeDatabase.place(), switches });
  const agents: Record<string, Agent> = {};
  const named = ['owner', 'second', 'coder', 'reader', 'stranger'] as const;
  for (const name of named) agents[name] = await server.agent(name);
  const people = agents as Record<(typeof named)[number], Agent>;
  const { owner, coder, second } = people;
  const as = (agent: Agent, body?: unknown, headers: Record<string, string> = {}): RequestOptions => ({
    as: agent.key,
    headers,
    ...(body === undefined ? {} : { body }),
  });
  /** Registered by its owner, with the same rights for the same agents. */
  const register = async (name: string): Promise<string> => {
    const wish = { name, ownershipModel: 'guild', isPrivate: true, agentAccess: 'allowlist' };
    const { id } = await server.ask('POST /repos/register', as(owner, wish));
    await server.ask(`POST /repos/${id}/maintainers`, as(owner, { agent: 'second' }));
    await server.ask(`POST /repos/${id}/access`, as(owner, { agent: 'coder', level: 'write' }));
    await server.ask(`POST /repos/${id}/access`, as(owner, { agent: 'reader', level: 'read' }));
    return id;
  };
  const repoId = await register('demo');
  /** The coder's stream of one commit, as the client that has the clone tells of it. */
  const stream = async (name: string, inRepo = repoId): Promise<string> => {
    const wish = { id: newId(Date.now()), name, baseBranch: 'buffer', baseCommit: oid('buffer') };
    const { id } = await server.ask(`POST /repos/${inRepo}/streams`, as(coder, wish));
    const head = { facts: factsOf(name), cause: 'commit' };
    await server.ask(`POST /streams/${id}/head`, as(coder, head));
    return id;
  };
  const approved = async (name: string): Promise<string> => {
    const id = await stream(name);
    await server.ask(`POST /streams/${id}/submit`, as(coder, { facts: factsOf(name) }));
    for (const judge of [second, owner])
      await server.ask(
        `POST /streams/${id}/reviews`,
        as(judge, { verdict: 'approve', head: factsOf(name).head }),
      );
    return id;
  };
  return { server, ...people, as, register, repoId, stream, approved };
}
