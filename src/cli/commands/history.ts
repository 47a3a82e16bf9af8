import type { Workflow } from '../../workflows/workflow.ts';
import type { Command } from '../command.ts';
import { numberOption } from '../options.ts';
import { type Column, table } from '../output/table.ts';

const USUAL = 20;

/** A command that lists what has been recorded, newest first, as a table. */
export function historyCommand<Row>(definition: {
  name: string;
  summary: string;
  /** What is said while there is nothing to list. */
  none: string;
  list(workflow: Workflow, limit: number): Promise<Row[]>;
  columns(now: number): Column<Row>[];
}): Command {
  return {
    name: definition.name,
    summary: definition.summary,
    actor: 'reader',
    options: [{ flags: '--limit <n>', summary: `how many (default ${USUAL})` }],
    async run(session, _args, given) {
      const workflow = await session.workflow();
      const rows = await definition.list(workflow, numberOption(given, 'limit') ?? USUAL);
      return {
        data: rows,
        text: () =>
          rows.length === 0 ? definition.none : table(rows, definition.columns(workflow.clock.now())),
      };
    },
  };
}
