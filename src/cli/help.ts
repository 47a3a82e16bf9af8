import { readFileSync } from 'node:fs';
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
  const lines = ['gitswarm: many coding agents, one repository, only reviewed and tested work on main', ''];
  for (const [section, title] of SECTIONS) {
    const members = groups.filter((group) => group.section === section);
    if (section !== 'start') {
      lines.push(`${style.bold(title.padEnd(11))} ${members.map((group) => group.name).join('  ')}`);
      continue;
    }
    lines.push(style.bold(title));
    for (const group of members) lines.push(`  ${group.name.padEnd(10)} ${group.summary}`);
    lines.push('');
  }
  lines.push('', 'Every command: --as <agent>  -C <dir>  --json  --quiet   More: gitswarm help <command>');
  return lines.join('\n');
}

/** Set by the build. */
declare const GITSWARM_VERSION: string | undefined;

/** The version of the package this program is part of. */
export function versionText(): string {
  if (typeof GITSWARM_VERSION === 'string') return GITSWARM_VERSION;
  const file = new URL('../../package.json', import.meta.url);
  return /"version": "([^"]+)"/.exec(readFileSync(file, 'utf8'))?.[1] ?? 'unknown';
}
