import type { CouncilRow } from '../../db/tables.ts';
import type { EffectContext } from '../events/effect-context.ts';
import { statusFor, statusNow, termEnd } from './council-rules.ts';
import {
  clearChair,
  deleteSeat,
  findSeat,
  listCouncilsOf,
  listEndedTerms,
  listSeats,
  ROLE_CHANGED,
  updateCouncil,
  updateSeatRole,
  upsertSeat,
} from './councils-store.ts';
import { listOpenProposals, resolveProposal } from './proposals-store.ts';

/** Brings everything in step that depends on who is seated: the council's status, and votes that are now certain. */
export async function refreshCouncil(ctx: EffectContext, council: CouncilRow): Promise<CouncilRow> {
  if (council.status === 'dissolved') return council;
  const seated = (await listSeats(ctx.db, council.id, ctx.now)).length;
  const status = statusFor(seated, council.min_members);
  let row = council;
  if (status !== council.status) {
    row = await updateCouncil(ctx.db, council.id, { status, updated_at: ctx.now });
    ctx.emit({
      type: status === 'active' ? 'council.activated' : 'council.forming',
      subject: { type: 'council', id: council.id },
      data: { seated, needed: council.min_members },
      repoId: council.repo_id,
    });
  }
  for (const proposal of await listOpenProposals(ctx.db, council.id)) await resolveProposal(ctx, proposal);
  return row;
}

/** The same for every council in which somebody sits who was suspended or may act again. */
export async function refreshCouncilsOf(ctx: EffectContext, agentId: string): Promise<void> {
  for (const council of await listCouncilsOf(ctx.db, agentId)) await refreshCouncil(ctx, council);
}

export interface Seating {
  agentId: string;
  name: string;
  role?: 'chair' | 'member' | undefined;
  reason: 'founding' | 'joined' | 'elected';
  by: string | null;
}

/** Seats somebody, or begins a new term of theirs. The caller knows that a seat is free, and refreshes the council. */
export async function seat(ctx: EffectContext, council: CouncilRow, seating: Seating): Promise<void> {
  const before = await findSeat(ctx.db, council.id, seating.agentId);
  const termExpiresAt = termEnd(ctx.now, council.term_limit_months);
  await upsertSeat(ctx.db, {
    council_id: council.id,
    agent_id: seating.agentId,
    role: seating.role ?? before?.role ?? 'member',
    seated_by: seating.by,
    reason: seating.reason,
    term_expires_at: termExpiresAt,
    joined_at: before?.joined_at ?? ctx.now,
  });
  ctx.emit({
    type: 'council.seated',
    subject: { type: 'agent', id: seating.agentId },
    data: { councilId: council.id, name: seating.name, reason: seating.reason, termExpiresAt },
    repoId: council.repo_id,
  });
}

/** Makes somebody who sits the chair, or a member again; the term goes on. There is one chair at most. */
export async function giveRole(
  ctx: EffectContext,
  council: CouncilRow,
  { agentId, name, role }: { agentId: string; name: string; role: 'chair' | 'member' },
): Promise<void> {
  if (role === 'chair') await clearChair(ctx.db, council.id);
  await updateSeatRole(ctx.db, { councilId: council.id, agentId, role });
  ctx.emit({
    type: 'council.seated',
    subject: { type: 'agent', id: agentId },
    data: { councilId: council.id, name, reason: ROLE_CHANGED, role },
    repoId: council.repo_id,
  });
}

export async function unseat(
  ctx: EffectContext,
  council: CouncilRow,
  who: { agentId: string; reason: string },
): Promise<void> {
  await deleteSeat(ctx.db, council.id, who.agentId);
  ctx.emit({
    type: 'council.unseated',
    subject: { type: 'agent', id: who.agentId },
    data: { councilId: council.id, reason: who.reason },
    repoId: council.repo_id,
  });
}

/** Terms that are over end, and proposals whose time is over are resolved; answers how many of both. */
export async function endTermsAndVotes(ctx: EffectContext, council: CouncilRow): Promise<number> {
  const ended = await listEndedTerms(ctx.db, council.id, ctx.now);
  for (const member of ended) await unseat(ctx, council, { agentId: member.agent_id, reason: 'term_over' });
  const due = (await listOpenProposals(ctx.db, council.id)).filter((row) => row.expires_at <= ctx.now);
  const seated = (await listSeats(ctx.db, council.id, ctx.now)).length;
  const isBehind = statusNow(council, seated) !== council.status;
  if (ended.length > 0 || due.length > 0 || isBehind) await refreshCouncil(ctx, council);
  return ended.length + due.length;
}
