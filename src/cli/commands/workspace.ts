import { resolve } from 'node:path';
import { plainLine } from '../../base/plain-text.ts';
import { SwarmError } from '../../contract/errors.ts';
import { type Stream, showStream } from '../../contract/streams.ts';
import { findWorkspace } from '../../machine/workspaces.ts';
import { createWorkspace, type NewWorkspace } from '../../workflows/create-workspace.ts';
import { destroyWorkspace, restoreWorkspace } from '../../workflows/destroy-workspace.ts';
import { execInWorkspace } from '../../workflows/exec-in-workspace.ts';
import { syncStream } from '../../workflows/sync-worktree.ts';
import { actingWorkflow } from '../acting.ts';
import type { Answer, Command } from '../command.ts';
import { offerTrust } from '../offer-trust.ts';
import { flagOption, listOption, textOption } from '../options.ts';
import { commandText } from '../output/hints.ts';
import type { Session } from '../session.ts';
import { movedAnswer, streamTitle } from './stream-answer.ts';
import { list } from './workspace-list.ts';

const create: Command = {
  name: 'workspace create',
  summary: 'Make a stream and a worktree to work on it.',
  actor: 'author',
  options: [
    { flags: '--task <task>', summary: 'the task it is for; it is claimed on the way' },
    { flags: '--depends-on <stream>', summary: 'build on this stream instead of the buffer' },
    { flags: '--name <name>', summary: 'what the stream is called (else the title of its task)' },
    { flags: '--base <commit>', summary: 'start from this branch or commit instead of the buffer' },
    { flags: '--path <path>', summary: 'a file or folder it will touch; may be repeated', repeat: true },
    { flags: '--at <dir>', summary: 'where the worktree stands (else .worktrees/<agent>)' },
  ],
  examples: ['gitswarm workspace create --task t-k7m2 --as coder'],
  async run(session, _args, options) {
    const { workflow, actor } = await actingWorkflow(session);
    await offerTrust(session, workflow, ['workspace.setup']);
    const at = textOption(options, 'at');
    const made = await createWorkspace(workflow, {
      task: textOption(options, 'task'),
      dependsOn: await parentOf(session, textOption(options, 'dependsOn')),
      name: textOption(options, 'name'),
      base: textOption(options, 'base'),
      paths: listOption(options, 'path'),
      path: at === undefined ? undefined : resolve(session.flags.dir, at),
    });
    return createdAnswer(made, actor);
  },
};

function parentOf(session: Session, ref: string | undefined): Promise<string | undefined> {
  return ref === undefined ? Promise.resolve(undefined) : session.streamRef(ref);
}

/** Also what `stream fork` answers. */
export function createdAnswer(made: NewWorkspace, agent: { id: string; name: string }): Answer {
  const { stream, path, overlaps, setup, copied } = made;
  const { id, handle, name, branch, baseBranch, baseCommit, parentStreamId, status } = stream;
  return {
    data: {
      stream: { id, handle, name, branch, baseBranch, baseCommit, parentStreamId, status },
      path,
      agent: { id: agent.id, name: agent.name },
      taskId: made.task?.id ?? null,
      overlaps,
      copied,
      setup,
    },
    text: () =>
      [
        `${streamTitle(stream)} for ${plainLine(agent.name)}`,
        `  at     ${plainLine(path)}`,
        `  branch ${branch}, from ${plainLine(baseBranch)} @ ${baseCommit.slice(0, 10)}`,
        ...(copied.length > 0 ? [`  copied ${copied.slice(0, 5).map(plainLine).join(', ')}`] : []),
        ...(setup
          ? [`  setup  ${setup.ok ? 'done' : `not done: ${plainLine(setup.output).slice(-300)}`}`]
          : []),
        ...overlaps.map(
          (other) =>
            `  ${other.handle} "${plainLine(other.name)}" touches ${other.paths.slice(0, 3).map(plainLine).join(', ')}, too`,
        ),
      ].join('\n'),
    next: `cd ${commandText([path])}`,
  };
}

const path: Command = {
  name: 'workspace path',
  summary: 'Where the worktree of a stream is: cd "$(gitswarm workspace path s-3fxa)"',
  args: '[stream]',
  actor: 'reader',
  async run(session, [name]) {
    const workflow = await session.workflow();
    const stream = await workflow.authority.call(showStream, { stream: await session.streamRef(name) });
    const workspace = findWorkspace(workflow.machine, stream.id);
    if (!workspace) throw noWorkspace(stream);
    return { data: { path: workspace.path, streamId: stream.id }, text: () => workspace.path };
  },
};

function noWorkspace(stream: Stream): SwarmError {
  return new SwarmError('not_found', `Stream ${stream.handle} has no workspace on this machine.`, {
    fix: `gitswarm workspace restore ${stream.handle}`,
  });
}

const destroy: Command = {
  name: 'workspace destroy',
  summary: 'Take a worktree away; refuses while work in it is neither committed nor landed.',
  args: '[stream]',
  actor: 'author',
  options: [
    { flags: '--abandon', summary: 'give the stream up, too; its branch stays' },
    { flags: '--force', summary: 'also with work that is not committed; a snapshot keeps it' },
  ],
  async run(session, [name], options) {
    const { workflow } = await actingWorkflow(session);
    const gone = await destroyWorkspace(workflow, await session.streamRef(name), {
      abandon: flagOption(options, 'abandon'),
      force: flagOption(options, 'force'),
    });
    const { stream, snapshot, finished } = gone;
    const back = `gitswarm workspace restore ${stream.handle}`;
    return {
      data: gone,
      text: () =>
        [
          `${streamTitle(stream)} has no workspace any more; it is ${stream.state.replace('_', ' ')}`,
          ...(finished ? ['  everything had landed: the stream is finished'] : []),
          ...(snapshot
            ? [`  what was not committed is kept under ${snapshot.ref}`, `  bring it back: ${back}`]
            : []),
        ].join('\n'),
      undo: finished ? undefined : 'gitswarm undo',
    };
  },
};

const restore: Command = {
  name: 'workspace restore',
  summary: 'Bring a worktree back, with what was not committed in it.',
  args: '<stream>',
  actor: 'author',
  async run(session, [name = '']) {
    const { workflow } = await actingWorkflow(session);
    const restored = await restoreWorkspace(workflow, await session.streamRef(name));
    const { stream, files } = restored;
    const clash = typeof files === 'object' ? files : undefined;
    return {
      data: restored,
      exit: clash ? 5 : 0,
      text: () =>
        [
          `${streamTitle(stream)} is back at ${plainLine(restored.path)}`,
          ...(files === 'restored' ? ['  with what was not committed'] : []),
          ...(clash
            ? [
                `  what was not committed clashes in ${clash.conflicts.map(plainLine).join(', ')}; it is kept under ${clash.kept}`,
              ]
            : []),
        ].join('\n'),
      next: `cd ${commandText([restored.path])}`,
    };
  },
};

const sync: Command = {
  name: 'workspace sync',
  summary: 'Bring a stream and its worktree onto what they build on now.',
  args: '[stream]',
  actor: 'author',
  async run(session, [name]) {
    const { workflow } = await actingWorkflow(session);
    const ref = await session.streamRef(name);
    const result = await syncStream(workflow, ref);
    return movedAnswer(await workflow.authority.call(showStream, { stream: ref }), result);
  },
};

const exec: Command = {
  name: 'workspace exec',
  summary: 'Run a program in a worktree, acting as the author of its stream; nothing moves it meanwhile.',
  args: '<stream> <command...>',
  actor: 'author',
  examples: ['gitswarm workspace exec s-3fxa -- npm test'],
  async run(session, [name = '', ...argv]) {
    const { workflow } = await actingWorkflow(session);
    // With --json, stdout belongs to the one document.
    const stdoutTo = session.output.isJson ? 'stderr' : 'stdout';
    const { stream, ending } = await execInWorkspace(workflow, await session.streamRef(name), {
      argv,
      stdoutTo,
    });
    if (ending.kind === 'not_started') {
      throw new SwarmError(
        'command_failed',
        `${plainLine(argv[0] ?? '')} could not be started: ${ending.reason}`,
        {
          fix: 'Name a program on the PATH; a shell line needs: -- sh -c "…"',
        },
      );
    }
    return { data: { streamId: stream.id, exit: ending.code }, exit: ending.code, text: () => '' };
  },
};

export const commands: Command[] = [create, list, path, destroy, restore, sync, exec];
