import { SwarmError } from '../contract/errors.ts';
import * as contract from '../contract/uploads.ts';
import { includesLevel } from '../domain/access/access.ts';
import { accessOf } from '../domain/access/access-store.ts';
import { levelToPush } from '../domain/repos/branch-rules.ts';
import { configInForce } from '../domain/repos/repos-store.ts';
import { operation } from './operation.ts';

/** Each ref as its branch rule says. What no rule opens is an owner's, whose upload is also how a repository begins. */
const record = operation(contract.recordUpload, {
  on: 'repo',
  needs: 'write',
  async run({ db, repo, actor, now, emit }, { refs }) {
    const { level } = await accessOf(db, repo, actor, now);
    for (const { ref } of refs) {
      if (includesLevel(level, levelToPush(ref, configInForce(repo)) ?? 'admin')) continue;
      throw new SwarmError('not_allowed', `${actor.name} may not move ${ref} by an upload.`, {
        fix: 'Land the work as a stream, or ask for direct_push in a branch rule.',
      });
    }
    emit({ type: 'repo.uploaded', subject: { type: 'repo', id: repo.id }, data: { refs } });
    return { recorded: refs.length };
  },
});

export const uploadOperations = [record];
