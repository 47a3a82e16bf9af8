import type { Scripts } from '../../app/agents.ts';

type Step = Scripts['tasks'][string][number]['steps'][number];

/** What an agent does to its files, and how the demo tells of it. */
export interface Edit {
  says: string;
  steps: Step[];
}

/** A repository for the demo, and what its agents do in it. */
export interface Cast {
  about: string;
  /** The command that tests it. */
  tests: string;
  /** Two tasks whose changes clash; the scripts resolve the conflict at their second attempt. */
  clash: { title: string; scripts: Scripts['tasks'][string] }[];
  /** A change, what is changed about it later, and one that builds on it. */
  parent: { title: string; first: Edit; later: Edit };
  child: { title: string; edit: Edit };
  /** A change that breaks the tests, and what mends it. */
  broken: { title: string; edit: Edit; mend: Edit };
}

/**
 * Waits until the worktrees of both agents of the swarm are there, so that both begin from the same commit: a script
 * must not depend on who is quicker.
 */
export const untilBothHaveBegun: Step = {
  run: [
    'node',
    '-e',
    `const { existsSync } = require('node:fs');
const wait = () => ['worker-1', 'worker-2'].every((name) => existsSync('../' + name)) || setTimeout(wait, 20);
wait();`,
  ],
};
