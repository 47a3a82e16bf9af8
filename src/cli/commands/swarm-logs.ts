import { plain } from '../../base/plain-text.ts';
import { showAgent } from '../../contract/agents.ts';
import { listRunOutputs, readTail } from '../../machine/run-outputs.ts';
import type { Command } from '../command.ts';
import { numberOption } from '../options.ts';

const TAIL_BYTES = 64 * 1024;
const LINES = 100;

export const logs: Command = {
  name: 'swarm logs',
  summary: 'What an agent wrote when it was last at work here.',
  args: '<agent>',
  actor: 'reader',
  options: [
    { flags: '--lines <n>', summary: 'how many lines of its end (default 100)' },
    { flags: '--back <n>', summary: 'the run before the last: 1, the one before that: 2' },
  ],
  async run(session, [name = ''], options) {
    const workflow = await session.workflow();
    const agent = await workflow.authority.call(showAgent, { agent: name });
    const outputs = listRunOutputs(workflow.machine, { subject: agent.id, limit: 200 });
    const chosen = outputs[numberOption(options, 'back') ?? 0];
    const tail = chosen ? readTail(chosen.path, TAIL_BYTES) : '';
    const text = tail
      .split('\n')
      .slice(-(numberOption(options, 'lines') ?? LINES) - 1)
      .join('\n');
    return {
      data: {
        agent: { id: agent.id, name: agent.name },
        runs: outputs.map(({ id, kind, started_at, ended_at, exit, size, path }) => ({
          ...{ id, kind, exit, size, path },
          startedAt: started_at,
          endedAt: ended_at,
        })),
        text,
      },
      text: () => {
        if (!chosen) return `${agent.name} has not been at work on this machine.`;
        const how = chosen.ended_at === null ? 'still running' : `exit ${chosen.exit ?? 'none'}`;
        return `${chosen.kind}, ${chosen.started_at}, ${how}: ${chosen.path}\n${plain(text)}`;
      },
    };
  },
};
