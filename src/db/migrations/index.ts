import type { Migration } from '../migration.ts';
import { init } from './001-init.ts';
import { workplans } from './003-workplans.ts';
import { governance } from './004-governance.ts';
import { server } from './006-server.ts';
import { dashboard } from './009-dashboard.ts';
import { blockVerdicts } from './010-block-verdicts.ts';

/** In the order in which they are applied. */
export const migrations: readonly Migration[] = [
  init,
  workplans,
  governance,
  server,
  dashboard,
  blockVerdicts,
];
