import { showProposal, voteOnProposal } from '../contract/proposals.ts';
import { castVote } from '../workflows/carry-out-proposal.ts';
import { hostedRoute, workflowOf, writeLast } from './hosted-call.ts';
import { pushSoon } from './push-soon.ts';

/**
 * Where the clone is here, what a vote decides is carried out at once. The vote is counted under a key of its own, which
 * no caller can send: the same request again, after a death, finds it counted and goes on with what it decided.
 */
const vote = hostedRoute(voteOnProposal, async (call, input) => {
  const { id, repoId } = await call.authority.call(showProposal, { proposal: input.proposal });
  const workflow = await workflowOf(call, repoId);
  if (!workflow) return writeLast(call, voteOnProposal, { input, answer: (made) => made });
  const { hosted } = call.face.server;
  const key = call.once && `${call.once.key} vote`;
  const voted = await castVote(
    workflow,
    { ...input, proposal: id },
    { key, carryOut: () => hosted.carryOut(repoId) },
  );
  if (voted.status === 'passed') pushSoon(call.face, workflow, { tags: true });
  return voted;
});

export const councilRoutes = [vote];
