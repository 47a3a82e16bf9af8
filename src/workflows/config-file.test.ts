import { expect, it } from 'vitest';
import { parseConfigFile } from './config-file.ts';

const warnings = (text: string) => {
  const parsed = parseConfigFile(text);
  return parsed.kind === 'config' ? parsed.warnings : [parsed.reason];
};

it('names the setting that was meant by one that does not exist, also within a group', () => {
  expect(warnings('min_reveiws: 2')).toEqual([
    'unknown setting "min_reveiws" is ignored; did you mean "min_reviews"?',
  ]);
  expect(warnings('queue:\n  runers: 3')).toEqual([
    'unknown setting "queue.runers" is ignored; did you mean "queue.runners"?',
  ]);
  expect(warnings('zzz_nothing_like_it: 1')).toEqual(['unknown setting "zzz_nothing_like_it" is ignored']);
  expect(warnings('min_karma: 5')).toEqual([
    'min_karma is not read from the file: gitswarm config set min_karma …',
  ]);
});

it.each([
  ['a branch that is an option', 'buffer_branch: "--upload-pack=x"'],
  ['a branch that leads out', 'buffer_branch: ../../etc'],
  ['a shell in a branch', 'buffer_branch: "$(touch pwned) x"'],
  ['a threshold of nothing', 'consensus_threshold: 0'],
  ['a threshold that is no number', 'consensus_threshold: .nan'],
  ['no reviews', 'min_reviews: 0'],
  ['more than a command', 'stabilize_command: "a\\nb"'],
  ['a list that never ends', `branch_rules: [${'{pattern: x},'.repeat(201)}]`],
  ['an unknown key of a rule', 'branch_rules: [{pattern: x, requires: all}]'],
  ['a list', '[1, 2]'],
  ['what is no YAML', 'a: [b'],
  ['a setting that is there twice', 'min_reviews: 2\nmin_reviews: 1'],
  ['a setting of a group that is there twice', 'queue:\n  runners: 2\n  runners: 4'],
  [
    'a bomb of aliases',
    `a: &a [x]\n${[...'bcdefghijklmnopqrstuvwxyz'].map((name) => `${name}: [*a, *a]`).join('\n')}`,
  ],
  ['a tag that makes objects', 'merge_mode: !!js/function "function () {}"'],
])('%s makes the file unusable', (_what, text) => {
  expect(parseConfigFile(text).kind).toBe('unusable');
});

it('names of the language are settings like any other: unknown', () => {
  const parsed = parseConfigFile(
    '__proto__: {merge_mode: swarm}\nconstructor: 1\nqueue: {__proto__: {runners: 64}}',
  );
  expect(parsed).toMatchObject({ kind: 'config', config: { merge_mode: 'review', queue: { runners: 2 } } });
});
