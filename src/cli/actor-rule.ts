/**
 * Who acts when neither `--as` nor GITSWARM_AGENT says so.
 * - author: the author of the worktree one stands in; at a terminal else an owner
 * - named: nobody is inferred from a worktree (verdicts, settings, access); at a terminal an owner
 * - reader: as author, and the owner anywhere: reading needs no name
 * - nobody: the command needs no actor
 */
export type ActorRule = 'author' | 'named' | 'reader' | 'nobody';
