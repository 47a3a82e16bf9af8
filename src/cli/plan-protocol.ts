/** What an agent or a person does when a piece of work is over. */
export const protocol = `The end of a piece of work

1. Say in the workplan what you did: set \`status:\` in the task blocks you worked on, nothing else.
   todo < in_progress = blocked < done = cancelled
2. Commit it with your work.
3. Bring workplans and tasks together. This pulls first, as \`git pull --ff-only\` would:
       gitswarm plan fix --pull
4. Read what it says.
   C-13, C-17  normal: work went on elsewhere, and the file now says what the database says
   C-14        the checkout is behind or has changes that are not committed: do what it says, then step 3 again
   C-15        the database refused what a file says: the task is not yours to finish, or waits for another
   an ERROR    the file has to be mended by hand; \`gitswarm plan check --explain <code>\` says how
5. git push

It is safe at any time and from any machine: a stale checkout never moves a task backwards. \`gitswarm plan check\`
only looks, and writes nothing at all.`;

/** The same for the instructions that agents read in a repository (AGENTS.md, CLAUDE.md and the like). */
export const snippet = `## Workplans

Tasks live in \`workplans/**/*.md\` (blocks fenced as \`task\`) and in the GitSwarm database; both are kept together.
Change only \`status:\` in task blocks: todo, in_progress, blocked, done or cancelled. Never edit or copy ids.

When a piece of work is over, and whenever you changed a workplan:

\`\`\`bash
git commit -am "..."          # your work and the statuses, together
gitswarm plan fix --pull      # pulls, then brings files and database together
git push
\`\`\`

- C-13 and C-17 are normal where work went on at another machine: the file was brought up to date.
- C-14 means that nothing was written because the checkout is behind or not committed: mend that, run it again.
- An ERROR has to be mended by hand: \`gitswarm plan check --explain <code>\`.`;
