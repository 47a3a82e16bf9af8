import { SwarmError } from '../contract/errors.ts';
import { type Coprocess, CoprocessDied, parseLine } from './coprocess.ts';
import { zeroOid } from './oid.ts';
import { type RefUpdate, transaction } from './ref-writer.ts';
import { checkUpdates, explainFailure, type UpdateOptions } from './refs.ts';
import type { Repository } from './repository.ts';

/** Refs that are locked and compared, but not moved yet. If our process dies, git lets go of them. */
export interface PreparedRefs {
  kind: 'prepared';
  /** Moves the refs; nobody can have moved them since. */
  commit(): Promise<void>;
  /** Leaves the refs as they were. */
  abort(): Promise<void>;
}

/** Takes the locks of these refs and compares their old values; from here on git itself refuses any rival. */
export async function prepareRefs(
  repo: Repository,
  updates: readonly RefUpdate[],
  reason: string,
  options: UpdateOptions = {},
): Promise<PreparedRefs | { kind: 'lost'; message: string }> {
  await checkUpdates(repo, updates, options);
  for (let attempt = 1; ; attempt++) {
    const process = repo.refWriter.startProcess(reason);
    try {
      await process.ask('start\0', parseLine);
      await process.ask(`${transaction(updates, zeroOid(repo.objectFormat))}prepare\0`, parseLine);
      return prepared(process, updates);
    } catch (error) {
      if (!(error instanceof CoprocessDied)) throw error;
      const verdict = await explainFailure(repo, updates, { words: error.stderr, unknown: false });
      if (verdict !== 'again' && verdict.kind === 'lost') return verdict;
      if (attempt === 3) throw new SwarmError('git_failed', error.message, { cause: error });
    }
  }
}

function prepared(process: Coprocess, updates: readonly RefUpdate[]): PreparedRefs {
  return {
    kind: 'prepared',
    async commit() {
      try {
        await process.ask('commit\0', parseLine);
      } catch (error) {
        const names = updates.map(({ ref }) => ref).join(', ');
        throw new SwarmError('git_failed', `git did not finish moving ${names}`, { cause: error });
      } finally {
        await process.close();
      }
    },
    async abort() {
      await process.ask('abort\0', parseLine).catch(() => {});
      await process.close();
    },
  };
}
