import type { Migration } from '../migration.ts';
import { init } from './001-init.ts';
import { governance } from './004-governance.ts';

/** In the order in which they are applied. */
export const migrations: readonly Migration[] = [init, governance];
