import { plainLine } from '../../base/plain-text.ts';
import { SwarmError } from '../../contract/errors.ts';
import { showStream } from '../../contract/streams.ts';
import { findWorkspace } from '../../machine/workspaces.ts';
import {
  abortResolution,
  continueResolution,
  type Resolution,
  resolveStream,
} from '../../workflows/resolve-stream.ts';
import type { Workflow } from '../../workflows/workflow.ts';
import { actingWorkflow } from '../acting.ts';
import type { Answer, Command } from '../command.ts';
import { flagOption } from '../options.ts';
import { commandText, count } from '../output/hints.ts';
import { worktreePaths } from '../worktree-paths.ts';
import { committedAnswer } from './commit.ts';
import { streamTitle } from './stream-answer.ts';

export const resolve: Command = {
  name: 'stream resolve',
  summary: 'Merge what a stream conflicts with into its worktree, decide the conflicts, and commit.',
  args: '<stream> [paths...]',
  actor: 'author',
  options: [
    { flags: '--ours', summary: 'decide for the stream, everywhere or in the paths' },
    { flags: '--theirs', summary: 'decide for what it is merged with, everywhere or in the paths' },
    { flags: '--continue', summary: 'everything is decided: commit' },
    { flags: '--abort', summary: 'put the worktree back as it was before' },
  ],
  examples: [
    'gitswarm stream resolve s-3fxa',
    'gitswarm stream resolve s-3fxa --theirs package-lock.json',
    'gitswarm stream resolve s-3fxa --continue',
  ],
  async run(session, [name = '', ...typed], options) {
    const [ours, theirs, goesOn, aborts] = ['ours', 'theirs', 'continue', 'abort'].map((flag) =>
      flagOption(options, flag),
    );
    if (ours && theirs) throw new SwarmError('usage', '--ours and --theirs exclude each other.');
    if (aborts && (ours || theirs || goesOn)) throw new SwarmError('usage', '--abort stands alone.');
    const side = ours ? 'ours' : theirs ? 'theirs' : undefined;
    if (typed.length > 0 && !side) throw new SwarmError('usage', 'Paths are for --ours or --theirs.');
    const { workflow } = await actingWorkflow(session);
    const { id } = await workflow.authority.call(showStream, { stream: await session.streamRef(name) });
    if (aborts) return answer(workflow, await abortResolution(workflow, id));
    const top = findWorkspace(workflow.machine, id)?.path;
    const paths =
      typed.length > 0 && top !== undefined ? worktreePaths(top, typed, session.flags.dir) : undefined;
    const wantsMerge = !goesOn || side !== undefined;
    const begun = wantsMerge ? await resolveStream(workflow, { stream: id, side, paths }) : undefined;
    return answer(workflow, begun && !goesOn ? begun : await continueResolution(workflow, id));
  },
};

function answer(workflow: Workflow, result: Resolution): Answer {
  const { stream, path } = result;
  const command = `gitswarm stream resolve ${stream.handle}`;
  switch (result.kind) {
    case 'resolved':
      return { ...committedAnswer(workflow, result, { kind: 'resolved' }), undo: 'gitswarm undo' };
    case 'aborted':
      return {
        data: { kind: 'aborted', streamId: stream.id, path, kept: result.kept },
        text: () =>
          [
            `${streamTitle(stream)}: the worktree is as it was before`,
            ...(result.kept ? [`  what was done meanwhile is kept under ${result.kept}`] : []),
          ].join('\n'),
        next: command,
      };
    case 'open': {
      const { files, onto, setAside } = result;
      return {
        data: { kind: 'open', streamId: stream.id, path, onto, files, setAside },
        text: () =>
          [
            files.length === 0
              ? `${streamTitle(stream)}: everything is decided`
              : `${streamTitle(stream)}: ${count(files.length, 'file')} to decide in ${plainLine(path)}`,
            ...files.map((file) => `  ${plainLine(file.path)}  ${file.kind}`),
            ...(setAside
              ? [`  what was not committed is set aside under ${setAside} until the merge is over`]
              : []),
            ...(files.length > 0 ? [`edit and git add them, or ${command} --ours|--theirs [path]`] : []),
            `go back: ${command} --abort`,
          ].join('\n'),
        next: files.length === 0 ? `${command} --continue` : `cd ${commandText([path])}`,
      };
    }
  }
}
