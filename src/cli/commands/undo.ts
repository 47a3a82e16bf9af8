import { plainLine } from '../../base/plain-text.ts';
import { listUndo } from '../../contract/undo.ts';
import { undoOperation } from '../../workflows/undo-operation.ts';
import type { Command } from '../command.ts';
import { flagOption } from '../options.ts';
import { relativeTime } from '../output/hints.ts';
import { table } from '../output/table.ts';

const undo: Command = {
  name: 'undo',
  summary:
    'Take your last operation back: abandon, destroy, claim, pause, rebase, resolve, config set, task edit, queue move.',
  args: '[operation]',
  actor: 'author',
  options: [{ flags: '--list', summary: 'what could be taken back, newest first' }],
  async run(session, [operation], options) {
    const workflow = await session.workflow();
    if (flagOption(options, 'list')) {
      const { items } = await workflow.authority.call(listUndo, { repoId: workflow.repo.id });
      return {
        data: items,
        text: () =>
          items.length === 0
            ? 'There is nothing to undo.'
            : table(
                items,
                [
                  { title: 'ID', value: (each) => each.id.slice(-12) },
                  { title: 'WHAT', value: (each) => plainLine(each.summary), canShrink: true },
                  { title: 'WHEN', value: (each) => relativeTime(each.createdAt, workflow.clock.now()) },
                  { title: '', value: (each) => (each.undoneAt ? 'undone' : '') },
                ],
                { width: session.output.width },
              ),
      };
    }
    const { record, effect } = await undoOperation(workflow, operation);
    return {
      data: { record, effect },
      text: () =>
        [`undone: ${plainLine(record.summary)}`, ...(effect ? [`  ${plainLine(effect)}`] : [])].join('\n'),
    };
  },
};

export const commands = [undo];
