import { resolve } from 'node:path';

/**
 * The program that tests start: the sources, or what `GITSWARM_PROGRAM` names. CI names the built program, which is what
 * people run, and starts in half the time.
 */
export const PROGRAM = process.env.GITSWARM_PROGRAM
  ? resolve(process.env.GITSWARM_PROGRAM)
  : resolve(import.meta.dirname, '../../src/bin/gitswarm.ts');
