import { plainLine } from '../../base/plain-text.ts';
import { abandonStream, pauseStream, resumeStream, showStream } from '../../contract/streams.ts';
import { createWorkspace } from '../../workflows/create-workspace.ts';
import { pushStream } from '../../workflows/push.ts';
import { syncStream } from '../../workflows/sync-worktree.ts';
import { trackBranch } from '../../workflows/track-branch.ts';
import { actingWorkflow } from '../acting.ts';
import type { Command } from '../command.ts';
import { confirm } from '../confirm.ts';
import { offerTrust } from '../offer-trust.ts';
import { flagOption, textOption } from '../options.ts';
import { requireNetwork } from '../require-network.ts';
import { movedAnswer, streamText, streamTitle } from './stream-answer.ts';
import { listCommands } from './stream-list.ts';
import { resolve } from './stream-resolve.ts';
import { createdAnswer } from './workspace.ts';

const rebase: Command = {
  name: 'stream rebase',
  summary:
    'Bring a stream onto the head of what it builds on, or with --onto buffer onto the buffer, without its parent.',
  args: '[stream]',
  actor: 'author',
  options: [{ flags: '--onto <what>', summary: 'leave the parent', choices: ['buffer'] }],
  async run(session, [name], options) {
    const { workflow } = await actingWorkflow(session);
    const ref = await session.streamRef(name);
    const result = await syncStream(
      workflow,
      ref,
      textOption(options, 'onto') === 'buffer' ? { onto: 'buffer' } : {},
    );
    return movedAnswer(await workflow.authority.call(showStream, { stream: ref }), result);
  },
};

const pause: Command = {
  name: 'stream pause',
  summary: 'Let a stream rest: no commits, no landing.',
  args: '[stream]',
  actor: 'author',
  options: [{ flags: '--reason <text>', summary: 'why' }],
  async run(session, [name], options) {
    const { workflow } = await actingWorkflow(session);
    const reason = textOption(options, 'reason');
    const stream = await workflow.authority.call(pauseStream, {
      stream: await session.streamRef(name),
      reason,
    });
    return {
      data: stream,
      text: () => `${streamTitle(stream)} is paused`,
      undo: `gitswarm stream resume ${stream.handle}`,
    };
  },
};

const resume: Command = {
  name: 'stream resume',
  summary: 'End a pause.',
  args: '[stream]',
  actor: 'author',
  async run(session, [name]) {
    const { workflow } = await actingWorkflow(session);
    const stream = await workflow.authority.call(resumeStream, { stream: await session.streamRef(name) });
    return { data: stream, text: () => `${streamTitle(stream)} is ${stream.state.replace('_', ' ')} again` };
  },
};

const abandon: Command = {
  name: 'stream abandon',
  summary: 'Give a stream up; its branch and workspace stay, and what builds on it is paused.',
  args: '[stream]',
  actor: 'author',
  options: [
    { flags: '--cascade', summary: 'also what builds on it' },
    { flags: '--reason <text>', summary: 'why' },
  ],
  async run(session, [name], options) {
    const { workflow } = await actingWorkflow(session);
    const gone = await workflow.authority.call(abandonStream, {
      stream: await session.streamRef(name),
      cascade: flagOption(options, 'cascade'),
      reason: textOption(options, 'reason'),
    });
    return {
      data: gone,
      text: () =>
        [
          `${streamTitle(gone.stream)} is abandoned; the branch ${plainLine(gone.stream.branch)} stays`,
          ...gone.alsoAbandoned.map((stream) => `  and ${streamTitle(stream)}`),
          ...gone.paused.map((stream) => `  ${streamTitle(stream)} built on it and is paused`),
        ].join('\n'),
      undo: 'gitswarm undo',
    };
  },
};

const fork: Command = {
  name: 'stream fork',
  summary: 'Build on a stream: a new stream and a worktree that start from its head.',
  args: '<stream>',
  actor: 'author',
  options: [
    { flags: '--name <name>', summary: 'what the new stream is called' },
    { flags: '--task <task>', summary: 'the task it is for' },
  ],
  async run(session, [name = ''], options) {
    const { workflow, actor } = await actingWorkflow(session);
    await offerTrust(session, workflow, ['workspace.setup']);
    const dependsOn = await session.streamRef(name);
    const made = await createWorkspace(workflow, {
      dependsOn,
      name: textOption(options, 'name'),
      task: textOption(options, 'task'),
    });
    return createdAnswer(made, actor);
  },
};

const track: Command = {
  name: 'stream track',
  summary: 'Take a branch that exists in as a stream; it keeps its name.',
  args: '<branch>',
  actor: 'author',
  options: [
    { flags: '--name <name>', summary: 'what the stream is called (else as the branch)' },
    { flags: '--task <task>', summary: 'the task it is for' },
    { flags: '--depends-on <stream>', summary: 'the stream it builds on' },
  ],
  async run(session, [branch = ''], options) {
    const { workflow } = await actingWorkflow(session);
    const parent = textOption(options, 'dependsOn');
    const { stream, path } = await trackBranch(workflow, {
      branch,
      name: textOption(options, 'name'),
      task: textOption(options, 'task'),
      parent: parent === undefined ? undefined : await session.streamRef(parent),
    });
    return {
      data: { stream, path },
      text: () => streamText(stream, path),
      next: `gitswarm review submit ${stream.handle}`,
    };
  },
};

const push: Command = {
  name: 'stream push',
  summary: 'Push the branch of a stream to its remote; never by force.',
  args: '[stream]',
  actor: 'author',
  async run(session, [name]) {
    const { workflow } = await actingWorkflow(session);
    requireNetwork(session);
    const ref = await session.streamRef(name);
    const pushed = await pushStream(workflow, ref, (question) => confirm(session, question));
    return {
      data: pushed,
      text: () =>
        `pushed ${plainLine(pushed.branch)} @ ${pushed.commit.slice(0, 10)} to ${plainLine(pushed.remote)}`,
    };
  },
};

export const commands: Command[] = [
  ...listCommands,
  rebase,
  pause,
  resume,
  abandon,
  fork,
  track,
  push,
  resolve,
];
