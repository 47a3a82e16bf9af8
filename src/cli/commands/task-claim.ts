import { SwarmError } from '../../contract/errors.ts';
import {
  abandonClaim,
  blockTask,
  cancelTask,
  claimTask,
  nextTask,
  reviewTask,
  submitTask,
  unblockTask,
} from '../../contract/tasks.ts';
import { actingWorkflow } from '../acting.ts';
import type { Command } from '../command.ts';
import { durationOption, flagOption, textOption } from '../options.ts';
import { asOther } from '../who-may.ts';
import { claimAnswer, taskAnswer, taskText } from './task-answer.ts';

const claim: Command = {
  name: 'task claim',
  summary: 'Take a task; work on it keeps it yours.',
  args: '<task>',
  actor: 'author',
  options: [{ flags: '--lease <time>', summary: 'how long it stays yours without work on it (default 2h)' }],
  async run(session, [task = ''], options) {
    const { workflow } = await actingWorkflow(session);
    const leaseMs = durationOption(options, 'lease');
    const claimed = await workflow.authority.call(claimTask, { task, leaseMs });
    return {
      ...claimAnswer(claimed, 'claimed'),
      undo: 'gitswarm undo',
      next: `gitswarm workspace create --task ${claimed.task.handle}`,
    };
  },
};

const next: Command = {
  name: 'task next',
  summary: 'The most urgent task that is ready; with --claim it is yours.',
  actor: 'author',
  options: [{ flags: '--claim', summary: 'claim it' }],
  async run(session, _args, options) {
    const { workflow } = await actingWorkflow(session);
    const wantsClaim = flagOption(options, 'claim');
    const found = await workflow.authority.call(nextTask, { repoId: workflow.repo.id, claim: wantsClaim });
    const { task, claim: taken } = found;
    if (!task) return { data: null, text: () => 'Nothing is ready.', next: 'gitswarm task list' };
    if (!taken)
      return { data: found, text: () => taskText(task), next: `gitswarm task claim ${task.handle}` };
    return {
      ...claimAnswer({ task, claim: taken }, 'claimed'),
      undo: 'gitswarm undo',
      next: `gitswarm workspace create --task ${task.handle}`,
    };
  },
};

const submit: Command = {
  name: 'task submit',
  summary: 'Hand a claimed task in.',
  args: '<task|claim>',
  actor: 'author',
  options: [{ flags: '--notes <text>', summary: 'what was done' }],
  async run(session, [ref = ''], options) {
    const { workflow } = await actingWorkflow(session);
    const notes = textOption(options, 'notes') ?? '';
    const claimed = await workflow.authority.call(submitTask, { claim: ref, notes });
    return {
      ...claimAnswer(claimed, 'submitted'),
      next: `gitswarm task review ${claimed.task.handle} approve${asOther(workflow, 'maintainer')}`,
    };
  },
};

const review: Command = {
  name: 'task review',
  summary: 'Accept what was handed in, or send it back (maintainers).',
  args: '<task|claim> <verdict>',
  actor: 'named',
  options: [{ flags: '--notes <text>', summary: 'why' }],
  examples: ['gitswarm task review t-k7m2 approve', 'gitswarm task review t-k7m2 reject --notes "no tests"'],
  async run(session, [ref = '', verdict = ''], options) {
    if (verdict !== 'approve' && verdict !== 'reject') {
      throw new SwarmError('usage', `The verdict on a task is approve or reject, not "${verdict}".`);
    }
    const { workflow } = await actingWorkflow(session);
    const notes = textOption(options, 'notes') ?? '';
    const claimed = await workflow.authority.call(reviewTask, { claim: ref, verdict, notes });
    return claimAnswer(claimed, verdict === 'approve' ? 'accepted' : 'sent back');
  },
};

const abandon: Command = {
  name: 'task abandon',
  summary: 'Give a claimed task back; the work on its stream stays.',
  args: '<task|claim>',
  actor: 'author',
  options: [{ flags: '--reason <text>', summary: 'why' }],
  async run(session, [ref = ''], options) {
    const { workflow } = await actingWorkflow(session);
    const reason = textOption(options, 'reason');
    const given = await workflow.authority.call(abandonClaim, { claim: ref, reason });
    return {
      ...claimAnswer({ ...given, claim: { ...given.claim, leaseUntil: null } }, 'gave back'),
      data: given,
    };
  },
};

const block: Command = {
  name: 'task block',
  summary: 'Mark a task as blocked: nobody can claim it.',
  args: '<task> [reason]',
  actor: 'author',
  options: [{ flags: '--reason <text>', summary: 'what it waits for' }],
  async run(session, [task = '', words], options) {
    const reason = textOption(options, 'reason') ?? words;
    if (!reason)
      throw new SwarmError('usage', 'A blocked task says what it waits for.', { fix: 'Add --reason "…".' });
    const { workflow } = await actingWorkflow(session);
    const blocked = await workflow.authority.call(blockTask, { task, reason });
    return { ...taskAnswer(blocked), undo: `gitswarm task unblock ${blocked.handle}` };
  },
};

const unblock: Command = {
  name: 'task unblock',
  summary: 'Take the mark away.',
  args: '<task>',
  actor: 'author',
  async run(session, [task = '']) {
    const { workflow } = await actingWorkflow(session);
    return taskAnswer(await workflow.authority.call(unblockTask, { task }));
  },
};

const cancel: Command = {
  name: 'task cancel',
  summary: 'Say that a task will not be done.',
  args: '<task>',
  actor: 'author',
  options: [{ flags: '--reason <text>', summary: 'why' }],
  async run(session, [task = ''], options) {
    const { workflow } = await actingWorkflow(session);
    const reason = textOption(options, 'reason');
    return taskAnswer(await workflow.authority.call(cancelTask, { task, reason }));
  },
};

export const claimCommands: Command[] = [claim, next, submit, review, abandon, block, unblock, cancel];
