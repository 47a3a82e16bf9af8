import { plainLine } from '../../base/plain-text.ts';
import type { Stream } from '../../contract/streams.ts';
import type { SyncResult } from '../../workflows/sync-worktree.ts';
import type { Answer } from '../command.ts';
import { count } from '../output/hints.ts';
import { pairs } from '../output/table.ts';

/** `s-3fxa "add login"`. */
export function streamTitle(stream: { handle: string; name: string }): string {
  return `${stream.handle} "${plainLine(stream.name)}"`;
}

export function streamText(stream: Stream, workspacePath: string | null): string {
  const { conflict } = stream;
  return pairs([
    ['handle', stream.handle],
    ['name', plainLine(stream.name)],
    [
      'state',
      stream.stateReason
        ? `${stream.state.replace('_', ' ')} (${plainLine(stream.stateReason)})`
        : stream.state.replace('_', ' '),
    ],
    ['author', plainLine(stream.authorName)],
    ['branch', plainLine(stream.branch)],
    ['base', `${plainLine(stream.baseBranch)} @ ${stream.baseCommit.slice(0, 10)}`],
    ['head', stream.head.slice(0, 10)],
    ['holds', `${count(stream.commitCount, 'commit')}, ${count(stream.paths.length, 'file')}`],
    [
      'conflicts',
      conflict
        ? `with the ${conflict.with} in ${conflict.files.map((file) => plainLine(file.path)).join(', ')}`
        : undefined,
    ],
    ['task', stream.taskId ?? undefined],
    ['parent', stream.parentStreamId ?? undefined],
    ['workspace', workspacePath ? plainLine(workspacePath) : undefined],
    ['landed', stream.mergedCommit?.slice(0, 10)],
    ['id', stream.id],
  ]);
}

/** What came of bringing a stream onto a new base. */
export function movedAnswer(stream: Stream, result: SyncResult): Answer {
  const data = { ...result, streamId: stream.id };
  switch (result.kind) {
    case 'up_to_date':
      return {
        data,
        text: () => `${streamTitle(stream)} stands on it already @ ${result.head.slice(0, 10)}`,
      };
    case 'moved': {
      const { rebased, deferred, conflicted } = result.cascade;
      return {
        data,
        text: () =>
          [
            `${streamTitle(stream)} moved ${result.from.slice(0, 10)} -> ${result.to.slice(0, 10)}`,
            ...(rebased.length > 0 ? [`  ${count(rebased.length, 'dependant')} moved along`] : []),
            ...(deferred.length > 0 ? [`  ${count(deferred.length, 'dependant')} will follow later`] : []),
            ...(conflicted.length > 0 ? [`  ${count(conflicted.length, 'dependant')} met a conflict`] : []),
          ].join('\n'),
        undo: 'gitswarm undo',
      };
    }
    case 'conflict':
      return {
        data,
        exit: 5,
        text: () =>
          [
            `${streamTitle(stream)} was not moved; it conflicts in:`,
            ...result.files.map((file) => `  ${plainLine(file.path)}  ${file.kind}`),
          ].join('\n'),
        next: `gitswarm stream resolve ${stream.handle}`,
      };
    case 'behind':
      return {
        data,
        exit: 5,
        text: () =>
          [
            `${streamTitle(stream)} was not moved: ${result.reason.replace('_', ' ')}`,
            ...result.files.map((file) => `  ${plainLine(file)}`),
          ].join('\n'),
        next: `gitswarm commit -m "…" --stream ${stream.handle}`,
      };
  }
}
