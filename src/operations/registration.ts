import { SwarmError } from '../contract/errors.ts';
import type { Db } from '../db/database.ts';
import type { AgentRow } from '../db/tables.ts';
import { hashApiKey } from '../domain/agents/api-keys.ts';
import { useInvite } from '../domain/agents/invites-store.ts';
import { findServerAgent, insertServerAgent } from '../domain/agents/server-agents-store.ts';
import type { WriteContext } from './operation.ts';

/**
 * Who may register an agent at a server: its administrators, agents whose key says so, whoever brings an invite, and
 * anyone where registration is open. Elsewhere there is nothing to ask.
 */
export async function admitToServer(context: WriteContext, invite: string | undefined): Promise<void> {
  const { remote, caller, db, now } = context;
  if (!remote) return;
  if (caller && (remote.mayRegister || (await isServerAdmin(db, caller.id)))) return;
  if (invite !== undefined && (await useInvite(db, hashApiKey(invite), now))) return;
  if (invite === undefined && remote.openRegistration) return;
  const fix = 'Ask the administrator of the server for an invite, and send it as "invite".';
  if (invite !== undefined)
    throw new SwarmError('not_allowed', 'The invite is unknown, used up, expired or revoked.', { fix });
  if (caller)
    throw new SwarmError('not_allowed', `The key of ${caller.name} does not let it register agents.`, {
      fix,
    });
  throw new SwarmError('unauthenticated', 'Registering at this server takes an invite.', { fix });
}

/** Remembers who registered an agent at a server: that one may rotate its key and suspend it. */
export async function recordVoucher(
  { remote, caller, db, now }: WriteContext,
  agent: AgentRow,
): Promise<void> {
  if (!remote || !caller) return;
  await insertServerAgent(db, { agent_id: agent.id, is_admin: 0, registered_by: caller.id, created_at: now });
}

export async function isServerAdmin(db: Db, agentId: string): Promise<boolean> {
  return (await findServerAgent(db, agentId))?.is_admin === 1;
}
