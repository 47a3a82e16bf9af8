import { plainLine } from '../../base/plain-text.ts';
import { SwarmError } from '../../contract/errors.ts';
import { parseDuration } from '../../contract/repo-files.ts';
import {
  AccessLevel,
  addMaintainer,
  archiveRepo,
  explainAccess,
  getRepo,
  grantAccess,
  listAccess,
  listMaintainers,
  MaintainerRole,
  removeMaintainer,
  revokeAccess,
  trustAgent,
} from '../../contract/repos.ts';
import type { Command } from '../command.ts';
import { textOption } from '../options.ts';
import { pairs, table } from '../output/table.ts';
import { branchRuleCommands } from './repo-branch-rule.ts';

const list: Command = {
  name: 'repo list',
  summary: 'The repository at hand.',
  actor: 'reader',
  async run(session) {
    const workflow = await session.workflow();
    const repo = await workflow.authority.call(getRepo, { repoId: workflow.repo.id });
    return {
      data: [repo],
      text: () =>
        pairs([
          ['name', plainLine(repo.name)],
          ['handle', repo.handle],
          ['status', repo.status],
          ['mode', repo.mergeMode],
          ['ownership', repo.ownershipModel],
          ['stage', repo.stage],
          ['authority', repo.authority],
          ['id', repo.id],
        ]),
    };
  },
};

const archive: Command = {
  name: 'repo archive',
  summary: 'Make the repository read-only for everybody (owners).',
  actor: 'named',
  async run(session) {
    const workflow = await session.workflow();
    const repo = await workflow.authority.call(archiveRepo, { repoId: workflow.repo.id });
    return {
      data: repo,
      text: () => `${plainLine(repo.name)} is archived: nothing can be changed any more.`,
    };
  },
};

const add: Command = {
  name: 'repo maintainer add',
  summary: 'Make an agent a maintainer (owners).',
  args: '<agent>',
  actor: 'named',
  options: [
    {
      flags: '--role <role>',
      summary: 'maintainer or owner; without it nobody becomes less',
      choices: MaintainerRole.options,
    },
  ],
  async run(session, [agent = ''], options) {
    const workflow = await session.workflow();
    const role = MaintainerRole.optional().parse(textOption(options, 'role'));
    const added = await workflow.authority.call(addMaintainer, { repoId: workflow.repo.id, agent, role });
    return {
      data: added,
      text: () =>
        `${plainLine(added.agent.name)} is ${added.role === 'owner' ? 'an owner' : 'a maintainer'} now.`,
      undo: `gitswarm repo maintainer remove ${added.agent.handle}`,
    };
  },
};

const remove: Command = {
  name: 'repo maintainer remove',
  summary: 'Take that role away (owners). The last owner stays.',
  args: '<agent>',
  actor: 'named',
  async run(session, [agent = '']) {
    const workflow = await session.workflow();
    const result = await workflow.authority.call(removeMaintainer, { repoId: workflow.repo.id, agent });
    return {
      data: result,
      text: () =>
        result.removed ? `${plainLine(agent)} is no maintainer any more.` : `${plainLine(agent)} was none.`,
    };
  },
};

const maintainers: Command = {
  name: 'repo maintainer list',
  summary: 'Owners and maintainers.',
  actor: 'reader',
  async run(session) {
    const workflow = await session.workflow();
    const { items } = await workflow.authority.call(listMaintainers, {
      repoId: workflow.repo.id,
      limit: 200,
    });
    return {
      data: items,
      text: () =>
        table(
          items,
          [
            { title: 'ROLE', value: (each) => each.role },
            { title: 'NAME', value: (each) => plainLine(each.agent.name), canShrink: true },
            { title: 'KIND', value: (each) => each.agent.kind },
            { title: 'SINCE', value: (each) => each.createdAt.slice(0, 10) },
          ],
          { width: session.output.width },
        ),
    };
  },
};

const grant: Command = {
  name: 'repo access grant',
  summary: 'Give an agent a level of access (owners).',
  args: '<agent> <level>',
  actor: 'named',
  options: [{ flags: '--expires <time>', summary: 'ends after this time (7d) or at this ISO time' }],
  async run(session, [agent = '', level = ''], options) {
    const workflow = await session.workflow();
    const parsed = AccessLevel.safeParse(level);
    if (!parsed.success)
      throw new SwarmError('usage', `"${level}" is no level; choose read, write, maintain or admin.`);
    const expiresAt = expiry(textOption(options, 'expires'), workflow.clock.now());
    const granted = await workflow.authority.call(grantAccess, {
      repoId: workflow.repo.id,
      agent,
      level: parsed.data,
      expiresAt,
    });
    return {
      data: granted,
      text: () =>
        `${plainLine(granted.agent.name)} has ${granted.level} access${granted.expiresAt ? ` until ${granted.expiresAt}` : ''}.`,
      undo: `gitswarm repo access revoke ${granted.agent.handle}`,
    };
  },
};

function expiry(text: string | undefined, now: number): string | null {
  if (text === undefined) return null;
  const duration = parseDuration(text);
  const at = duration === undefined ? Date.parse(text) : now + duration;
  if (!Number.isNaN(at)) return new Date(at).toISOString();
  throw new SwarmError('usage', `--expires wants a time such as 7d or an ISO time, not "${text}".`);
}

const revoke: Command = {
  name: 'repo access revoke',
  summary: 'Take a grant back (owners).',
  args: '<agent>',
  actor: 'named',
  async run(session, [agent = '']) {
    const workflow = await session.workflow();
    const result = await workflow.authority.call(revokeAccess, { repoId: workflow.repo.id, agent });
    return { data: result, text: () => (result.revoked ? 'The grant is gone.' : 'There was no grant.') };
  },
};

const grants: Command = {
  name: 'repo access list',
  summary: 'Who was given access (owners).',
  actor: 'reader',
  async run(session) {
    const workflow = await session.workflow();
    const { items } = await workflow.authority.call(listAccess, { repoId: workflow.repo.id, limit: 200 });
    return {
      data: items,
      text: () =>
        items.length === 0
          ? 'Nobody was given access by name.'
          : table(
              items,
              [
                { title: 'NAME', value: (each) => plainLine(each.agent.name), canShrink: true },
                { title: 'LEVEL', value: (each) => each.level },
                { title: 'UNTIL', value: (each) => each.expiresAt ?? 'for good' },
              ],
              { width: session.output.width },
            ),
    };
  },
};

const explain: Command = {
  name: 'repo access explain',
  summary: 'What an agent may do here, and which rule says so.',
  args: '<agent>',
  actor: 'reader',
  async run(session, [agent = '']) {
    const workflow = await session.workflow();
    const explained = await workflow.authority.call(explainAccess, { repoId: workflow.repo.id, agent });
    return {
      data: explained,
      text: () =>
        [
          `${plainLine(explained.agent.name)}: ${explained.level ?? 'no'} access`,
          ...explained.reasons.map((reason) => `  ${plainLine(reason)}`),
        ].join('\n'),
    };
  },
};

const trust: Command = {
  name: 'repo access trust',
  summary: "How much an agent's verdicts weigh here, as a factor (owners); `normal` is 1.",
  args: '<agent> <factor>',
  actor: 'named',
  options: [{ flags: '--reason <text>', summary: 'why' }],
  examples: ['gitswarm repo access trust linter 0.5'],
  async run(session, [agent = '', word = ''], options) {
    const { authority, repo } = await session.workflow();
    const factor = word === 'normal' ? null : Number(word);
    if (factor !== null && !(factor >= 0 && factor <= 10)) {
      throw new SwarmError('usage', `The factor is a number from 0 to 10, or normal, not "${word}".`);
    }
    const reason = textOption(options, 'reason');
    const explained = await authority.call(trustAgent, { repoId: repo.id, agent, factor, reason });
    return {
      data: explained,
      text: () =>
        `The verdicts of ${plainLine(explained.agent.name)} weigh ${explained.trust} times the usual.`,
      undo: `gitswarm repo access trust ${explained.agent.handle} normal`,
    };
  },
};

export const commands: Command[] = [
  list,
  archive,
  add,
  remove,
  maintainers,
  grant,
  revoke,
  grants,
  explain,
  trust,
  ...branchRuleCommands,
];
