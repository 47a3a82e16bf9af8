import { allPages } from '../../base/all-pages.ts';
import { plainLine } from '../../base/plain-text.ts';
import { createOrg, listOrgs, type Org, personalOrg, setOrg, showOrg } from '../../contract/orgs.ts';
import { ServerSettings } from '../../contract/repo-files.ts';
import type { Answer, Command, CommandOption, Options } from '../command.ts';
import { numberOption, textOption } from '../options.ts';
import { pairs, table } from '../output/table.ts';

const ACCESS = ServerSettings.shape.agent_access.unwrap().options;

const fields: CommandOption[] = [
  { flags: '--desc <text>', summary: 'what it is for' },
  { flags: '--access <policy>', summary: 'who may work in new repositories', choices: ACCESS },
  { flags: '--min-karma <n>', summary: 'the karma that access karma_threshold asks for in them' },
];

function fieldsOf(options: Options) {
  return {
    description: textOption(options, 'desc'),
    defaultAgentAccess: textOption(options, 'access') as Org['defaultAgentAccess'] | undefined,
    defaultMinKarma: numberOption(options, 'minKarma'),
  };
}

const list: Command = {
  name: 'org list',
  summary: 'Namespaces for repositories.',
  actor: 'reader',
  async run(session) {
    const { authority } = await session.workflow();
    const orgs = await allPages((cursor) => authority.call(listOrgs, { limit: 200, cursor }));
    return {
      data: orgs,
      text: () =>
        orgs.length === 0
          ? 'There is no org yet.'
          : table(
              orgs,
              [
                { title: 'NAME', value: (org) => plainLine(org.name) },
                { title: 'OWNER', value: (org) => plainLine(org.ownerName) },
                { title: 'KIND', value: (org) => (org.personal ? 'personal' : 'shared') },
                { title: 'REPOS', value: (org) => String(org.repos), align: 'right' },
                { title: 'ABOUT', value: (org) => plainLine(org.description), canShrink: true },
              ],
              { width: session.output.width },
            ),
    };
  },
};

const create: Command = {
  name: 'org create',
  summary: 'Make one; it is yours.',
  args: '<name>',
  actor: 'named',
  options: fields,
  async run(session, [name = ''], options) {
    const { authority } = await session.workflow();
    return orgAnswer(await authority.call(createOrg, { name, ...fieldsOf(options) }));
  },
};

const show: Command = {
  name: 'org show',
  summary: 'One of them; without a name your own, which is made when you first ask.',
  args: '[org]',
  actor: (args) => (args[0] === undefined ? 'named' : 'reader'),
  async run(session, [org]) {
    const { authority } = await session.workflow();
    if (org === undefined) return orgAnswer(await authority.call(personalOrg, {}));
    return orgAnswer(await authority.call(showOrg, { org }));
  },
};

const set: Command = {
  name: 'org set',
  summary: 'Change one that is yours.',
  args: '<org>',
  actor: 'named',
  options: fields,
  async run(session, [org = ''], options) {
    const { authority } = await session.workflow();
    return orgAnswer(await authority.call(setOrg, { org, ...fieldsOf(options) }));
  },
};

function orgAnswer(org: Org): Answer {
  return {
    data: org,
    text: () =>
      pairs([
        ['name', plainLine(org.name)],
        ['owner', plainLine(org.ownerName)],
        ['kind', org.personal ? 'personal' : 'shared'],
        ['about', org.description === '' ? undefined : plainLine(org.description)],
        ['new repos', `${org.defaultAgentAccess}, ${org.defaultMinKarma} karma`],
        ['repos', String(org.repos)],
        ['id', org.id],
      ]),
  };
}

export const commands: Command[] = [list, create, show, set];
