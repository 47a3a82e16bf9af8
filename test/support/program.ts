import { resolve } from 'node:path';

/**
 * The program that tests start: the sources, or what `GITSWARM_PROGRAM` names. CI names the built program, which is what
 * people run, and starts in half the time.
 */
export const PROGRAM = process.env.GITSWARM_PROGRAM
  ? resolve(process.env.GITSWARM_PROGRAM)
  : resolve(import.meta.dirname, '../../src/bin/gitswarm.ts');

/** What a program compiles is kept here for the next one, and nothing in the home of whoever runs the tests. */
export const KEPT = {
  XDG_CACHE_HOME: resolve(import.meta.dirname, '../../node_modules/.cache/gitswarm-tests'),
};
