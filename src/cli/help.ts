import { readFileSync } from 'node:fs';
import { globalFlags } from './global-flags.ts';
import { type Group, groups } from './groups.ts';
import type { Style } from './output/style-text.ts';

const SECTIONS: [Group['section'], string][] = [
  ['start', 'Start here'],
  ['work', 'Work'],
  ['review', 'Review'],
  ['queue', 'Land'],
  ['govern', 'Decide'],
  ['repo', 'Look after'],
];

/** The overview; it fits on a screen. */
export function helpText(style: Style): string {
  const lines = ['gitswarm: many agents, one repository, only reviewed and tested work on main', ''];
  for (const [section, title] of SECTIONS) {
    const members = groups.filter((group) => group.section === section);
    if (section !== 'start') {
      for (const [i, row] of rowsOf(members.map((group) => group.name)).entries())
        lines.push(`${style.bold((i === 0 ? title : '').padEnd(12))} ${row}`);
      continue;
    }
    lines.push(style.bold(title));
    for (const group of members) lines.push(`  ${group.name.padEnd(10)} ${group.summary}`);
    lines.push('');
  }
  lines.push('', `${style.bold('Every command takes')} (more: gitswarm help <command>)`);
  const flags = globalFlags.map(({ flag, value, summary }) => {
    const name = value === undefined ? flag : `${flag} ${value}`;
    return { isLong: summary.length > 30, text: `  ${name.padEnd(12)} ${summary}` };
  });
  for (const { text } of flags.filter((each) => each.isLong)) lines.push(text);
  const short = flags.filter((each) => !each.isLong);
  const half = Math.ceil(short.length / 2);
  for (const [i, { text }] of short.slice(0, half).entries())
    lines.push(`${text.padEnd(42)}${short[half + i]?.text ?? ''}`.trimEnd());
  return lines.join('\n');
}

/** What stays beside a title on a screen of 80 columns. */
const ROW_WIDTH = 66;

/** The names, as many to a row as fit. */
function rowsOf(names: readonly string[]): string[] {
  const rows: string[] = [];
  for (const name of names) {
    const last = rows.at(-1);
    if (last !== undefined && last.length + 2 + name.length <= ROW_WIDTH)
      rows[rows.length - 1] = `${last}  ${name}`;
    else rows.push(name);
  }
  return rows;
}

/** The same for programs. */
export function overviewData() {
  return {
    commands: groups.map(({ name, summary }) => ({ name, summary })),
    flags: globalFlags.map(({ flag, value, summary }) => ({
      flags: value === undefined ? flag : `${flag} ${value}`,
      summary,
    })),
  };
}

/** Set by the build. */
declare const GITSWARM_VERSION: string | undefined;

/** The version of the package this program is part of. */
export function versionText(): string {
  if (typeof GITSWARM_VERSION === 'string') return GITSWARM_VERSION;
  const file = new URL('../../package.json', import.meta.url);
  return /"version": "([^"]+)"/.exec(readFileSync(file, 'utf8'))?.[1] ?? 'unknown';
}
