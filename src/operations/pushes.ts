import { isoTime } from '../base/clock.ts';
import * as contract from '../contract/pushes.ts';
import { deletePushed, findClone, listUnpushed, upsertUnpushed } from '../domain/repos/clones-store.ts';
import { openOperation } from './operation.ts';

const FIRST_WAIT_MS = 5_000;
const LONGEST_WAIT_MS = 3_600_000;

/** A fact of the server's own clone, noted by the server: it gives nobody a choice. */
const intend = openOperation(contract.intendPush, {
  on: 'repo',
  async run({ db, repo, now }, { refs }) {
    if (!(await findClone(db, repo.id))?.clone_url) return { noted: 0 };
    for (const { ref, commit } of refs)
      await upsertUnpushed(db, {
        repo_id: repo.id,
        ref,
        commit_hash: commit,
        attempts: 0,
        last_error: null,
        next_attempt_at: now,
        created_at: now,
      });
    return { noted: refs.length };
  },
});

const record = openOperation(contract.recordPush, {
  on: 'repo',
  async run({ db, repo, clock }, { refs, error }) {
    const known = await listUnpushed(db, repo.id);
    for (const { ref, commit } of refs) {
      const row = known.find((each) => each.ref === ref && each.commit_hash === commit);
      if (error === null) await deletePushed(db, { repoId: repo.id, ref, commit });
      else if (row) {
        const wait = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** row.attempts);
        const next = isoTime(clock.now() + wait);
        await upsertUnpushed(db, {
          ...row,
          attempts: row.attempts + 1,
          last_error: error,
          next_attempt_at: next,
        });
      }
    }
    return { left: (await listUnpushed(db, repo.id)).length };
  },
});

export const pushOperations = [intend, record];
