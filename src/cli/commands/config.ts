import { nearest } from '../../base/nearest.ts';
import { plainLine } from '../../base/plain-text.ts';
import { SwarmError } from '../../contract/errors.ts';
import { RepoConfig, ServerSettings } from '../../contract/repo-files.ts';
import { settingTexts } from '../../contract/setting-texts.ts';
import { settingOwners, settingValue } from '../../domain/repos/config-settings.ts';
import { setSetting, trustCommands, workingFile } from '../../workflows/edit-config.ts';
import { untrustedCommands } from '../../workflows/trust.ts';
import type { Workflow } from '../../workflows/workflow.ts';
import type { Command } from '../command.ts';
import { canAsk } from '../confirm.ts';
import { askTrust, exactText, requireOwner } from '../offer-trust.ts';
import { pairs, table } from '../output/table.ts';

interface Setting {
  key: string;
  value: unknown;
  source: 'file' | 'database' | 'default';
  differsInWorkingFile: boolean;
}

const DEFAULTS = { config: RepoConfig.parse({}), settings: ServerSettings.parse({}) };

function settings(workflow: Workflow): Setting[] {
  const differs = workingFile(workflow)?.differs ?? [];
  return Object.entries(settingOwners()).map(([key, owner]) => {
    const value = inForce(workflow, key);
    const isDefault = JSON.stringify(value) === JSON.stringify(settingValue(DEFAULTS, key));
    const fromFile = owner === 'repo' && workflow.repo.configSource === 'file';
    return {
      key,
      value,
      source: isDefault ? 'default' : fromFile ? 'file' : 'database',
      differsInWorkingFile: differs.includes(key),
    };
  });
}

function inForce({ repo }: Workflow, key: string): unknown {
  return settingValue({ config: repo.config, settings: repo.settings }, key);
}

function shown(key: string, value: unknown): string {
  if (value === null) return '-';
  if (key.endsWith('timeout') && typeof value === 'number') return `${value / 1000} s`;
  return plainLine(typeof value === 'string' ? value : JSON.stringify(value));
}

const list: Command = {
  name: 'config list',
  summary: 'All settings with their source, and what the file in your working copy would change.',
  actor: 'reader',
  async run(session) {
    const workflow = await session.workflow();
    const rows = settings(workflow);
    const waiting = untrustedCommands(workflow);
    const working = workingFile(workflow);
    return {
      data: { settings: rows, untrusted: waiting, workingFile: working },
      text: () => {
        const lines = [
          table(
            rows,
            [
              { title: 'SETTING', value: (row) => row.key },
              { title: 'VALUE', value: (row) => shown(row.key, row.value), canShrink: true },
              { title: 'SOURCE', value: (row) => row.source },
              { title: '', value: (row) => (row.differsInWorkingFile ? 'changed in the working file' : '') },
            ],
            { width: session.output.width },
          ),
        ];
        if (working?.unusable) lines.push(`${working.file} is not usable: ${plainLine(working.unusable)}`);
        for (const { setting, text } of waiting)
          lines.push(`not approved on this machine: ${setting} = ${plainLine(text)}`);
        return lines.join('\n');
      },
      next: waiting.length > 0 ? 'gitswarm config trust' : undefined,
    };
  },
};

const get: Command = {
  name: 'config get',
  summary: 'One setting.',
  args: '<key>',
  actor: 'reader',
  async run(session, [key = '']) {
    const value = inForce(await session.workflow(), known(key));
    return { data: { key, value }, text: () => (value === null ? '' : shown(key, value)) };
  },
};

const set: Command = {
  name: 'config set',
  summary: 'Change a setting (owners): the file in your working copy and the copy in the database.',
  args: '<key> <value>',
  actor: 'named',
  examples: ['gitswarm config set stabilize_command "npm test"', 'gitswarm config set merge_mode swarm'],
  async run(session, [key = '', value = '']) {
    const workflow = await session.workflow();
    const change = await setSetting(workflow, known(key), value);
    return {
      data: { key, value: change.value, file: change.file, waitsForLanding: change.waitsForLanding },
      text: () =>
        [
          `${key} = ${plainLine(value)}`,
          ...(change.file ? [`  written to ${change.file}`] : []),
          ...(change.waitsForLanding
            ? ['  the committed file decides until this one has landed: commit it']
            : []),
        ].join('\n'),
      undo: 'gitswarm undo',
    };
  },
};

const explain: Command = {
  name: 'config explain',
  summary: 'What a setting means, its default, and where its value comes from.',
  args: '<key>',
  actor: 'reader',
  async run(session, [key = '']) {
    const workflow = await session.workflow();
    const setting = settings(workflow).find((each) => each.key === known(key));
    const fallback = settingValue(DEFAULTS, key);
    const owner = settingOwners()[key] === 'repo' ? 'the repository (.gitswarm/config.yml)' : 'the database';
    return {
      data: { ...setting, default: fallback, owner: settingOwners()[key], text: settingTexts[key] },
      text: () =>
        [
          settingTexts[key] ?? '',
          pairs([
            ['value', shown(key, setting?.value ?? null)],
            ['source', setting?.source],
            ['default', shown(key, fallback)],
            ['kept by', owner],
          ]),
        ].join('\n'),
      next: `gitswarm config set ${key} <value>`,
    };
  },
};

const trust: Command = {
  name: 'config trust',
  summary: 'Approve the commands of this repository, word for word, on this machine (owners).',
  actor: 'named',
  async run(session) {
    const workflow = await session.workflow();
    const waiting = untrustedCommands(workflow);
    const asks = waiting.length > 0 && canAsk(session) && !session.flags.yes;
    if (asks) await requireOwner(workflow);
    else for (const { setting, text } of waiting) session.output.note(`${setting}: ${exactText(text)}`);
    const approved = asks ? await askTrust(session, workflow, waiting) : await trustCommands(workflow);
    return {
      data: { approved },
      text: () =>
        approved.length === 0
          ? waiting.length === 0
            ? 'Every command is approved already.'
            : 'Nothing was approved.'
          : `approved ${approved.map((each) => each.setting).join(', ')}`,
    };
  },
};

function known(key: string): string {
  const keys = Object.keys(settingOwners());
  if (keys.includes(key)) return key;
  const near = nearest(key, keys);
  throw new SwarmError('usage', `There is no setting "${key}".${near ? ` Did you mean "${near}"?` : ''}`, {
    fix: 'gitswarm config list',
  });
}

export const commands: Command[] = [{ ...list, name: 'config' }, list, get, set, explain, trust];
