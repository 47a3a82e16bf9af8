/** What every command takes. */
export const globalFlags: { flag: string; value?: string; summary: string }[] = [
  {
    flag: '--as',
    value: '<agent>',
    summary: 'who acts (else GITSWARM_AGENT, else the author of this worktree)',
  },
  { flag: '-C', value: '<dir>', summary: 'work in this directory' },
  { flag: '--json', summary: 'one JSON document on stdout' },
  { flag: '--quiet', summary: 'no notes, no progress' },
  { flag: '--no-color', summary: 'no colours (also NO_COLOR)' },
  { flag: '--yes', summary: 'yes to every question' },
  { flag: '--offline', summary: 'do not use the network' },
  { flag: '--trace', summary: 'where errors come from' },
  { flag: '--no-tick', summary: 'leave what is due' },
];
