import { plainLine } from '../../base/plain-text.ts';
import type { BranchRules } from '../../contract/branch-rules.ts';
import { SwarmError } from '../../contract/errors.ts';
import { BranchRule } from '../../contract/repo-files.ts';
import { editBranchRules, type RulesChanged, showBranchRules } from '../../workflows/edit-branch-rules.ts';
import type { Answer, Command, CommandOption, Options } from '../command.ts';
import { flagOption, numberOption, textOption } from '../options.ts';
import { count } from '../output/hints.ts';
import { pairs, table } from '../output/table.ts';

const fields: CommandOption[] = [
  { flags: '--priority <n>', summary: 'the threshold of the highest one counts' },
  { flags: '--approvals <n>', summary: 'how many approvals must count at least' },
  { flags: '--threshold <x>', summary: 'the share that must approve, 0.01 to 1' },
  { flags: '--tests', summary: 'nothing lands untested' },
  { flags: '--no-tests', summary: 'take that back' },
  { flags: '--maintainers-only', summary: 'only maintainers merge, or promote' },
  { flags: '--anyone', summary: 'take that back' },
  { flags: '--direct-push <who>', summary: 'who may push', choices: ['none', 'maintainers', 'all'] },
];

/** What was said of a rule; null takes back. */
function fieldsOf(options: Options): Record<string, unknown> {
  const threshold = textOption(options, 'threshold');
  const given: Record<string, unknown> = {
    priority: numberOption(options, 'priority'),
    required_approvals: numberOption(options, 'approvals'),
    consensus_threshold: threshold === undefined ? undefined : Number(threshold),
    require_tests_pass: typeof options.tests === 'boolean' ? options.tests : undefined,
    direct_push: textOption(options, 'directPush'),
  };
  if (flagOption(options, 'maintainersOnly')) given.merge_restriction = 'maintainers_only';
  if (flagOption(options, 'anyone')) given.merge_restriction = null;
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

const list: Command = {
  name: 'repo branch-rule list',
  summary: 'The rules by branch pattern, and what governs buffer and target.',
  actor: 'reader',
  async run(session) {
    const rules = await showBranchRules(await session.workflow());
    return { data: rules, text: () => rulesText(rules) };
  },
};

const add: Command = {
  name: 'repo branch-rule add',
  summary: 'Add a rule (maintainers): `main`, or a pattern such as `release/*`.',
  args: '<pattern>',
  actor: 'named',
  options: fields.filter(({ flags }) => flags !== '--no-tests' && flags !== '--anyone'),
  examples: ['gitswarm repo branch-rule add buffer --approvals 2 --tests'],
  async run(session, [pattern = ''], options) {
    const rule = BranchRule.safeParse({ pattern, ...fieldsOf(options) });
    if (!rule.success) {
      const issues = rule.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
      throw new SwarmError('usage', `This is no rule: ${issues.join('; ')}.`, {
        fix: 'gitswarm repo branch-rule add --help',
      });
    }
    const changed = await editBranchRules(await session.workflow(), { kind: 'add', rule: rule.data });
    return { ...changedAnswer(changed), undo: 'gitswarm undo' };
  },
};

const update: Command = {
  name: 'repo branch-rule update',
  summary: 'Change what is said of a rule (maintainers).',
  args: '<pattern>',
  actor: 'named',
  options: fields,
  async run(session, [pattern = ''], options) {
    const changes = fieldsOf(options);
    if (Object.keys(changes).length === 0) {
      throw new SwarmError('usage', 'Nothing is said that should change.', {
        fix: 'gitswarm repo branch-rule update --help',
      });
    }
    const changed = await editBranchRules(await session.workflow(), { kind: 'update', pattern, changes });
    return { ...changedAnswer(changed), undo: 'gitswarm undo' };
  },
};

const remove: Command = {
  name: 'repo branch-rule remove',
  summary: 'Take a rule away (maintainers).',
  args: '<pattern>',
  actor: 'named',
  async run(session, [pattern = '']) {
    const changed = await editBranchRules(await session.workflow(), { kind: 'remove', pattern });
    return { ...changedAnswer(changed), undo: 'gitswarm undo' };
  },
};

function changedAnswer({ rules, file, waitsForLanding }: RulesChanged): Answer {
  return {
    data: { ...rules, file, waitsForLanding },
    text: () =>
      [
        rulesText(rules),
        ...(file ? [`  written to ${file}`] : []),
        ...(waitsForLanding ? ['  the committed file decides until this one has landed: commit it'] : []),
      ].join('\n'),
  };
}

function rulesText({ items, governs }: BranchRules): string {
  const policies = governs.map(
    (each) =>
      [
        plainLine(each.branch),
        [
          ...(each.minReviews === null
            ? ['what the buffer holds']
            : [count(each.minReviews, 'approval'), `${each.threshold} of the weight`]),
          ...(each.requireTests ? ['tests'] : []),
          ...(each.maintainersOnly ? ['maintainers only'] : []),
        ].join(', '),
      ] as const,
  );
  if (items.length === 0) return `There are no rules.\n${pairs(policies)}`;
  const rows = table(items, [
    { title: 'PATTERN', value: (rule) => plainLine(rule.pattern) },
    { title: 'PRIORITY', value: (rule) => String(rule.priority), align: 'right' },
    { title: 'APPROVALS', value: (rule) => String(rule.required_approvals), align: 'right' },
    { title: 'THRESHOLD', value: (rule) => String(rule.consensus_threshold ?? '-') },
    { title: 'TESTS', value: (rule) => (rule.require_tests_pass ? 'required' : '-') },
    { title: 'WHO', value: (rule) => (rule.merge_restriction ? 'maintainers' : 'anyone') },
    { title: 'PUSH', value: (rule) => rule.direct_push },
  ]);
  return `${rows}\n\n${pairs(policies)}`;
}

export const branchRuleCommands: Command[] = [list, add, update, remove];
