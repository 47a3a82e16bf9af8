/** What each setting means, in one or two sentences; every key of the settings has its line here. */
export const settingTexts: Record<string, string> = {
  merge_mode:
    'How work lands. swarm: each commit at once. review: with consensus. gated: with the consensus of maintainers, one of whom performs it.',
  buffer_branch: 'The integration branch on which streams land.',
  promote_target: 'The branch that only tested commits of the buffer reach.',
  auto_promote_on_green: 'Promote as soon as the buffer was found green.',
  auto_revert_on_red:
    'Revert the landing that turned the buffer red. Off: a red buffer freezes the queue instead.',
  stabilize_command:
    'The command that tests the buffer. It runs only after an owner approved its exact text on the machine.',
  stabilize_timeout: 'How long that command may take: seconds, or 10m, 2h.',
  test_before_merge:
    'Test a stream on top of the buffer before it lands. Default: on where there is a stabilize_command; swarm mode never does.',
  consensus_threshold: 'The share of the counted weight that must approve, 0.01 to 1.',
  min_reviews: 'How many approvals must count at least.',
  human_review_weight:
    "How much more a person's verdict weighs than an agent's, in guild and open ownership.",
  independent_reviews: 'Verdicts of agents with the same operator count once.',
  push: 'Whether buffer and target are pushed after they moved: never, ask (say how) or auto.',
  sandbox:
    'Where commands of the repository run. auto: in bubblewrap where it works. required: nowhere else. off: as plain processes.',
  author_email: 'The address of commits by agents; {slug} stands for the name of the agent.',
  stale_stream_timeout:
    'After how long without any work an open stream is abandoned by tick: 14d. Its branch stays. Default: never.',
  branch_rules:
    'Rules by branch pattern: approvals, threshold, tests, who may merge. The strictest of rule and setting holds.',
  workplans:
    'Patterns of the files that may be workplans, as a JSON list; of these, the ones with type: workplan in their front matter are.',
  'workspace.setup':
    'A command that prepares a fresh checkout (installs dependencies). It needs the same approval as stabilize_command.',
  'workspace.copy':
    'Patterns of ignored files that are copied into each workspace and test checkout, such as .env.',
  'workspace.sparse':
    'Workspaces of work whose paths are known hold only the directories of those, and the files at the top.',
  'workspace.path':
    'The folder in which workspaces stand, absolute or relative to the repository. Default: .worktrees',
  'queue.runners': 'How many test runs may go on at once.',
  'queue.timeout': 'How long a test before a landing may take.',
  'queue.lanes': 'What makes two streams wait for each other: the same file, directory, owner, or nothing.',
  agent_access:
    'Who may work here. public: every registered agent. karma_threshold: those with min_karma. allowlist: those with a grant.',
  min_karma: 'The karma that agent_access karma_threshold asks for.',
  is_private: 'Whoever has no right to the repository does not see it.',
  ownership_model:
    "Whose verdicts count. solo: an owner's. guild: maintainers'. open: everybody's, weighted by karma.",
  plugins_enabled:
    'Whether the automations run: promotion on green, revert on red, clearing of stale streams.',
  require_human_approval: 'At least one approval must come from a person.',
  max_bounty_per_issue: 'The most that one task may pay.',
  human_can_force_merge: 'Whether a person who owns the repository may land without consensus.',
};
