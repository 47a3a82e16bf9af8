import { plainLine } from '../../base/plain-text.ts';
import {
  type Agent,
  listAgents,
  registerAgent,
  resumeAgent,
  rotateAgentKey,
  showAgent,
  suspendAgent,
  updateAgent,
} from '../../contract/agents.ts';
import { saveToken } from '../../machine/connection.ts';
import type { Answer, Command } from '../command.ts';
import { flagOption, textOption } from '../options.ts';
import { commandText } from '../output/hints.ts';
import { pairs, table } from '../output/table.ts';

const register: Command = {
  name: 'agent register',
  summary: 'Register an agent; its key is shown this once.',
  args: '<name>',
  actor: 'named',
  options: [
    { flags: '--desc <text>', summary: 'what it is' },
    { flags: '--human', summary: 'a person (owners register people)' },
    { flags: '--role <label>', summary: 'a label, not a right' },
    { flags: '--operator <name>', summary: 'who runs it (owners)' },
  ],
  examples: ['gitswarm agent register coder --desc "writes code"'],
  async run(session, [name = ''], options) {
    const { authority } = await session.workflow();
    const registered = await authority.call(registerAgent, {
      name,
      description: textOption(options, 'desc') ?? '',
      kind: flagOption(options, 'human') ? 'human' : 'agent',
      role: textOption(options, 'role'),
      operator: textOption(options, 'operator'),
    });
    const { agent, apiKey } = registered;
    return {
      data: registered,
      text: () =>
        [
          `${agent.handle}  ${plainLine(agent.name)}  ${agent.kind}`,
          `key ${apiKey} (only needed with a server; not shown again)`,
        ].join('\n'),
      next: `gitswarm task next --claim ${commandText(['--as', agent.name])}`,
    };
  },
};

const list: Command = {
  name: 'agent list',
  summary: 'Everybody who is registered.',
  actor: 'reader',
  async run(session) {
    const { authority } = await session.workflow();
    const { items } = await authority.call(listAgents, { limit: 200 });
    return {
      data: items,
      text: () =>
        items.length === 0
          ? 'Nobody is registered.'
          : table(
              items,
              [
                { title: 'HANDLE', value: (agent) => agent.handle },
                { title: 'NAME', value: (agent) => plainLine(agent.name), canShrink: true },
                { title: 'KIND', value: (agent) => agent.kind },
                { title: 'KARMA', value: (agent) => String(agent.karma), align: 'right' },
                { title: 'STATUS', value: (agent) => agent.status },
              ],
              { width: session.output.width },
            ),
    };
  },
};

function agentAnswer(agent: Agent): Answer {
  return {
    data: agent,
    text: () =>
      pairs([
        ['handle', agent.handle],
        ['name', plainLine(agent.name)],
        ['kind', agent.kind],
        ['status', agent.status],
        ['karma', String(agent.karma)],
        ['role', agent.role ? plainLine(agent.role) : undefined],
        ['operator', agent.operator ? plainLine(agent.operator) : undefined],
        ['about', agent.description ? plainLine(agent.description) : undefined],
        ['id', agent.id],
      ]),
  };
}

const show: Command = {
  name: 'agent show',
  summary: 'One agent.',
  args: '<agent>',
  actor: 'reader',
  async run(session, [agent = '']) {
    const { authority } = await session.workflow();
    return agentAnswer(await authority.call(showAgent, { agent }));
  },
};

const update: Command = {
  name: 'agent update',
  summary: 'Change description or role.',
  args: '<agent>',
  actor: 'named',
  options: [
    { flags: '--desc <text>', summary: 'what it is' },
    { flags: '--role <label>', summary: 'a label, not a right' },
  ],
  async run(session, [agent = ''], options) {
    const { authority } = await session.workflow();
    const changes = { description: textOption(options, 'desc'), role: textOption(options, 'role') };
    return agentAnswer(await authority.call(updateAgent, { agent, ...changes }));
  },
};

const suspend: Command = {
  name: 'agent suspend',
  summary: 'Let an agent do nothing until it is resumed.',
  args: '<agent>',
  actor: 'named',
  options: [{ flags: '--reason <text>', summary: 'why' }],
  async run(session, [agent = ''], options) {
    const { authority } = await session.workflow();
    const suspended = await authority.call(suspendAgent, { agent, reason: textOption(options, 'reason') });
    return { ...agentAnswer(suspended), undo: `gitswarm agent resume ${suspended.handle}` };
  },
};

const resume: Command = {
  name: 'agent resume',
  summary: 'End a suspension.',
  args: '<agent>',
  actor: 'named',
  async run(session, [agent = '']) {
    const { authority } = await session.workflow();
    return agentAnswer(await authority.call(resumeAgent, { agent }));
  },
};

const rotate: Command = {
  name: 'agent rotate-key',
  summary: 'Give an agent a new key; the old one ends.',
  args: '<agent>',
  actor: 'named',
  async run(session, [agent = '']) {
    const { authority } = await session.workflow();
    const rotated = await authority.call(rotateAgentKey, { agent });
    const { connection, machine } = await session.app();
    // The key that this clone works with has just ended.
    const isOurs = connection !== undefined && connection.agentId === rotated.agent.id;
    const saved = isOurs && session.environment.token === undefined;
    if (saved) saveToken(machine, rotated.apiKey);
    return {
      data: { ...rotated, ...(isOurs ? { saved } : {}) },
      text: () =>
        [
          `${plainLine(rotated.agent.name)}: new key ${rotated.apiKey} (not shown again)`,
          ...(saved ? ['this clone works with it from now on; other clones have to be told'] : []),
          ...(isOurs && !saved ? ['GITSWARM_TOKEN holds the old key, which has ended'] : []),
        ].join('\n'),
      next: isOurs
        ? `gitswarm connect ${commandText(['--server', connection.url, '--token', rotated.apiKey])}`
        : undefined,
    };
  },
};

export const commands = [register, list, show, update, suspend, resume, rotate];
