import { isId } from '../base/ids.ts';
import { SwarmError } from '../contract/errors.ts';
import type { Db } from '../db/database.ts';
import type {
  ClaimRow,
  ElectionRow,
  MergeRow,
  ProposalRow,
  RepoRow,
  StreamRow,
  TaskRow,
} from '../db/tables.ts';
import { getElectionRow } from '../domain/councils/elections-store.ts';
import { getProposalRow } from '../domain/councils/proposals-store.ts';
import { getMergeRow } from '../domain/merges/merges-store.ts';
import { type HandledKind, resolveReference } from '../domain/references/references-store.ts';
import { getRepoRow } from '../domain/repos/repos-store.ts';
import { findStreamRow, getStreamRow } from '../domain/streams/streams-store.ts';
import { findClaimOfTask, getClaimRow } from '../domain/tasks/claims-store.ts';
import { findTaskRow, getTaskRow } from '../domain/tasks/tasks-store.ts';

/** What an operation is about; loaded once, before anyone is authorised, and handed to its `run`. */
export interface SubjectOf {
  none: object;
  repo: { repo: RepoRow };
  stream: { repo: RepoRow; stream: StreamRow };
  task: { repo: RepoRow; task: TaskRow };
  claim: { repo: RepoRow; task: TaskRow; claim: ClaimRow };
  merge: { repo: RepoRow; merge: MergeRow };
  proposal: { repo: RepoRow; proposal: ProposalRow };
  election: { repo: RepoRow; election: ElectionRow };
}
export type SubjectKind = keyof SubjectOf;
export type Subject = {
  repo?: RepoRow;
  stream?: StreamRow;
  task?: TaskRow;
  claim?: ClaimRow;
  merge?: MergeRow;
  proposal?: ProposalRow;
  election?: ElectionRow;
};

/** The keys of an input that name its subject. */
interface SubjectInput {
  repoId?: string;
  stream?: string;
  task?: string;
  claim?: string;
  merge?: string;
  proposal?: string;
  election?: string;
}

export async function loadSubject(
  db: Db,
  kind: SubjectKind,
  input: SubjectInput,
  repoId: string | undefined,
): Promise<Subject> {
  switch (kind) {
    case 'none':
      return repoId ? { repo: await getRepoRow(db, repoId) } : {};
    case 'repo':
      return { repo: await getRepoRow(db, given(input.repoId ?? repoId)) };
    case 'stream': {
      const stream = await getNamed(
        db,
        { kind, find: findStreamRow, get: getStreamRow },
        input.stream,
        repoId,
      );
      return { stream, repo: await getRepoRow(db, stream.repo_id) };
    }
    case 'task': {
      const task = await getNamed(db, { kind, find: findTaskRow, get: getTaskRow }, input.task, repoId);
      return { task, repo: await getRepoRow(db, task.repo_id) };
    }
    case 'claim': {
      const claim = await getClaimByRef(db, given(input.claim), repoId);
      const task = await getTaskRow(db, claim.task_id);
      return { claim, task, repo: await getRepoRow(db, task.repo_id) };
    }
    case 'merge': {
      const merge = await getMergeRow(db, await resolveReference(db, 'merge', given(input.merge), repoId));
      return { merge, repo: await getRepoRow(db, merge.repo_id) };
    }
    case 'proposal': {
      const id = await resolveReference(db, 'proposal', given(input.proposal), repoId);
      const proposal = await getProposalRow(db, id);
      return { proposal, repo: await getRepoRow(db, proposal.repo_id) };
    }
    case 'election': {
      const id = await resolveReference(db, 'election', given(input.election), repoId);
      const election = await getElectionRow(db, id);
      return { election, repo: await getRepoRow(db, election.repo_id) };
    }
  }
}

interface Rows<Row> {
  kind: HandledKind;
  find(db: Db, id: string): Promise<Row | undefined>;
  get(db: Db, id: string): Promise<Row>;
}

/** The row a reference means. Programs name things by their full ids: those need no search. */
async function getNamed<Row extends { repo_id: string }>(
  db: Db,
  { kind, find, get }: Rows<Row>,
  reference: string | undefined,
  repoId: string | undefined,
): Promise<Row> {
  const name = given(reference);
  const exact = isId(name) ? await find(db, name) : undefined;
  if (exact && (repoId === undefined || exact.repo_id === repoId)) return exact;
  return get(db, await resolveReference(db, kind, name, repoId));
}

/** A claim is named by its own reference, or by its task's: then the claim that counts for it is meant. */
async function getClaimByRef(db: Db, ref: string, repoId: string | undefined): Promise<ClaimRow> {
  try {
    return await getClaimRow(db, await resolveReference(db, 'claim', ref, repoId));
  } catch (error) {
    if (!(error instanceof SwarmError) || error.code !== 'not_found') throw error;
  }
  const taskId = await resolveReference(db, 'task', ref, repoId);
  const claim = await findClaimOfTask(db, taskId);
  if (claim) return claim;
  throw new SwarmError('not_found', `Nobody has claimed task "${ref}".`, {
    fix: `gitswarm task claim ${ref}`,
  });
}

function given(value: string | undefined): string {
  if (value === undefined) throw new SwarmError('invalid', 'The call does not say what it is about.');
  return value;
}
