import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { plain, plainLine } from '../../base/plain-text.ts';
import { SwarmError } from '../../contract/errors.ts';
import { showStream } from '../../contract/streams.ts';
import { findWorkspace } from '../../machine/workspaces.ts';
import { type CommitResult, commitStream, onlyWorkspaceOf } from '../../workflows/commit-stream.ts';
import type { Workflow } from '../../workflows/workflow.ts';
import { actingWorkflow } from '../acting.ts';
import type { Answer, Command, Options } from '../command.ts';
import { flagOption, textOption } from '../options.ts';
import { count } from '../output/hints.ts';
import type { Session } from '../session.ts';
import { worktreePaths } from '../worktree-paths.ts';
import { streamTitle } from './stream-answer.ts';

const commit: Command = {
  name: 'commit',
  summary: 'Commit a workspace on its stream; in swarm mode it lands at once.',
  args: '[paths...]',
  actor: 'author',
  options: [
    { flags: '-m, --message <text>', summary: 'what it does; alone it may stand without -m' },
    {
      flags: '--stream <stream>',
      summary: 'the stream (else that of this workspace, or the only one you have)',
    },
    { flags: '--allow-empty', summary: 'also without a change' },
  ],
  examples: [
    'gitswarm commit -m "Add login"',
    'gitswarm commit "Add login"',
    'gitswarm commit -m "Only the docs" docs',
  ],
  async run(session, args, options) {
    const { message, paths } = readWords(args, options, session.flags.dir);
    const { workflow, actor } = await actingWorkflow(session);
    const ref = await streamOf(session, workflow, {
      named: textOption(options, 'stream'),
      agentId: actor.id,
    });
    const { id } = await workflow.authority.call(showStream, { stream: ref });
    const top = findWorkspace(workflow.machine, id)?.path;
    const result = await commitStream(workflow, {
      stream: id,
      message,
      ...(paths.length > 0 && top !== undefined
        ? { paths: worktreePaths(top, paths, session.flags.dir) }
        : {}),
      allowEmpty: flagOption(options, 'allowEmpty'),
    });
    return committedAnswer(workflow, result);
  },
};

/** Without -m a single word is the message, unless it is the name of a file: then nobody can tell what is meant. */
export function readWords(
  args: string[],
  options: Options,
  dir: string,
): { message: string; paths: string[] } {
  const message = textOption(options, 'message');
  if (message !== undefined) {
    if (message.trim() === '') throw new SwarmError('usage', 'The message of the commit is empty.');
    return { message, paths: args };
  }
  const [only, second] = args;
  if (only === undefined || only.trim() === '')
    throw new SwarmError('usage', 'A commit needs a message.', { fix: 'gitswarm commit -m "…"' });
  if (second === undefined && !existsSync(resolve(dir, only))) return { message: only, paths: [] };
  const what =
    second === undefined ? `"${only}" is the name of a file` : `"${only}" may be a message or a path`;
  throw new SwarmError('usage', `A commit needs a message, and ${what}.`, {
    fix: 'gitswarm commit -m "…" [paths]',
  });
}

async function streamOf(
  session: Session,
  workflow: Workflow,
  who: { named: string | undefined; agentId: string },
): Promise<string> {
  if (who.named !== undefined || (await session.workspace())) return session.streamRef(who.named);
  const only = onlyWorkspaceOf(workflow, who.agentId);
  if (only !== undefined) return only;
  throw new SwarmError(
    'usage',
    `This is no workspace, and ${workflow.actor?.name ?? 'nobody'} does not have exactly one.`,
    {
      fix: 'Add --stream <stream>; gitswarm workspace list shows them.',
    },
  );
}

/** Also what `stream resolve --continue` answers. */
export function committedAnswer(
  workflow: Workflow,
  result: CommitResult,
  more: { kind?: 'resolved' } = {},
): Answer {
  const { commit: oid, stream, files, conflictsWith, merged, merge, cascade, setAside } = result;
  const data = {
    ...more,
    commit: oid,
    changeId: result.changeId,
    streamId: stream.id,
    files,
    conflictsWith,
    merged,
    ...(merge
      ? {
          merge:
            merge.kind === 'refused'
              ? { kind: 'refused', code: merge.error.code, message: merge.error.message }
              : merge,
        }
      : {}),
    ...(merge?.kind === 'conflict' ? { conflict: { files: merge.files } } : {}),
    ...(cascade ? { cascade } : {}),
    ...(setAside === 'none' ? {} : { setAside }),
  };
  if (oid === null) return { data, text: () => `Nothing to commit on ${streamTitle(stream)}.` };
  return {
    data,
    exit: exitOf(merge),
    text: () =>
      [
        `${oid.slice(0, 10)} on ${streamTitle(stream)}, ${count(files.length, 'file')}`,
        ...landingLines(workflow, result),
        ...conflictsWith.map(
          (other) =>
            `  would clash with ${other.with === 'buffer' ? plainLine(other.name) : streamTitle(other)} in ${other.files.map(plainLine).join(', ')}`,
        ),
        ...(setAside === 'restored' ? ['  what was set aside is back'] : []),
        ...(typeof setAside === 'object'
          ? [
              `  what was set aside clashes in ${setAside.conflicts.map(plainLine).join(', ')}; it is kept under ${setAside.kept}`,
            ]
          : []),
      ].join('\n'),
    next: nextStep(workflow, result),
  };
}

function exitOf(merge: CommitResult['merge']): number {
  if (merge?.kind === 'conflict') return 5;
  if (merge?.kind === 'queued' && merge.isAway) return 7;
  return merge?.kind === 'refused' || (merge?.kind === 'queued' && merge.blocked) ? 6 : 0;
}

function landingLines({ repo }: Workflow, { merge }: CommitResult): string[] {
  if (!merge) return [];
  if (merge.kind === 'merged') return [`  landed: ${repo.bufferBranch} @ ${merge.bufferAfter.slice(0, 10)}`];
  if (merge.kind === 'conflict') {
    return [
      `  kept, but not landed: it conflicts with ${repo.bufferBranch} in`,
      ...merge.files.map((file) => `    ${plainLine(file.path)}  ${file.kind}`),
    ];
  }
  if (merge.kind === 'refused') return [`  kept, but not landed: ${plain(merge.error.message)}`];
  return [
    `  not landed yet: ${merge.kind === 'queued' ? plainLine(merge.reason) : plainLine(merge.packet.summary)}`,
  ];
}

function nextStep({ repo }: Workflow, { merge, stream, conflictsWith }: CommitResult): string | undefined {
  if (merge?.kind === 'conflict') return `gitswarm stream resolve ${stream.handle}`;
  if (merge?.kind === 'refused') return merge.error.fix;
  if (conflictsWith.some((other) => other.with === 'buffer'))
    return `gitswarm workspace sync ${stream.handle}`;
  return repo.mergeMode === 'swarm' || stream.state !== 'active'
    ? undefined
    : `gitswarm review submit ${stream.handle}`;
}

export const commands = [commit];
