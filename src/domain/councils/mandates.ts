import type { ProposalPlan, ProposalType } from '../../contract/proposals.ts';

/** A passed proposal that is being carried out. */
export interface Mandate {
  id: string;
  type: ProposalType;
  data: Record<string, unknown>;
  plan: ProposalPlan;
}

type Input = Record<string, unknown>;
type Covers = (input: Input, mandate: Mandate) => boolean;

const sameAgent: Covers = (input, { data }) => input.agent === data.agentId;
const sameStream: Covers = (input, { data }) => input.stream === data.streamId;
const samePromotion: Covers = (input, { plan }) => input.toCommit === plan.toCommit;

/** What each type of proposal lets its council ask for: this, about this subject, and nothing else. */
const COVERED: Record<ProposalType, Record<string, Covers>> = {
  add_maintainer: {
    'maintainer.add': (input, mandate) => sameAgent(input, mandate) && input.role !== 'owner',
  },
  remove_maintainer: { 'maintainer.remove': sameAgent },
  modify_access: {
    'access.grant': (input, mandate) =>
      sameAgent(input, mandate) &&
      input.level === mandate.data.level &&
      input.expiresAt === mandate.data.expiresAt,
    'access.revoke': (input, mandate) => sameAgent(input, mandate) && mandate.data.level === null,
  },
  change_settings: { 'repo.set_config': (input, { data }) => isPartOf(input.changes, data.changes) },
  merge_stream: {
    'merge.request': (input, mandate) => sameStream(input, mandate) && input.force === false,
  },
  revert_stream: {
    'merge.request_plain': (input, { plan }) =>
      input.kind === 'revert' && input.revertsMerge === plan.mergeId,
  },
  reorder_queue: { 'queue.move': sameStream },
  promote: { 'promotion.request': samePromotion, 'promotion.record': samePromotion },
};

/** True where carrying out this proposal takes exactly this call; to say what became of it is a part of it. */
export function coversCall(mandate: Mandate, operation: string, input: Input): boolean {
  if (operation === 'proposal.record_execution') return input.proposal === mandate.id;
  return COVERED[mandate.type][operation]?.(input, mandate) ?? false;
}

function isPartOf(asked: unknown, decided: unknown): boolean {
  const [few, many] = [asked as Input, decided as Input];
  return Object.entries(few).every(([key, value]) => asText(many[key]) === asText(value));
}

/** A setting may be given as the word that is typed for it. */
function asText(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
}
