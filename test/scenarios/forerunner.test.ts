import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, it } from 'vitest';
import { readEnvironment } from '../../src/app/environment.ts';
import { initApp } from '../../src/app/init-app.ts';
import { openApp } from '../../src/app/open-app.ts';
import { showAgent } from '../../src/contract/agents.ts';
import { showCouncil } from '../../src/contract/councils.ts';
import { isSwarmError } from '../../src/contract/errors.ts';
import { listMaintainers } from '../../src/contract/repos.ts';
import { listReviews } from '../../src/contract/reviews.ts';
import { listStreams } from '../../src/contract/streams.ts';
import { listTasks } from '../../src/contract/tasks.ts';
import { uninit } from '../../src/workflows/uninit.ts';
import { gitFixture } from '../support/git-fixture.ts';
import { refusal, Story, signAs, storyEnv } from '../support/story.ts';

const REPO = '11111111111111111111111111111111';
const OLGA = 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa';
const CODER = 'bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb';
const TASK = 'cccccccccccccccccccccccccccccccc';
const dashed = (hex: string) => hex.replace(/(.{8})(.{4})(.{4})(.{4})(.{12})/, '$1-$2-$3-$4-$5');

/** A database as an earlier program would have left it: ids without dashes, times without a zone. */
function writeOldDatabase(file: string): void {
  const db = new DatabaseSync(file);
  db.exec(`
    create table agents (id text primary key, name text, description text, api_key_hash text, karma integer,
      status text, created_at text);
    create table repos (id text primary key, name text, description text, stage text, ownership_model text,
      agent_access text, min_karma integer, is_private integer, consensus_threshold real, min_reviews integer,
      human_review_weight real, merge_mode text, buffer_branch text, promote_target text,
      auto_promote_on_green integer, auto_revert_on_red integer, stabilize_command text, created_at text);
    create table maintainers (id text, repo_id text, agent_id text, role text, created_at text);
    create table branch_rules (id text, repo_id text, branch_pattern text, direct_push text,
      required_approvals integer, require_tests_pass integer, priority integer);
    create table tasks (id text, repo_id text, title text, description text, status text, priority text,
      amount integer, labels text, created_by text, created_at text);
    create table task_claims (id text, task_id text, agent_id text, status text, stream_id text, claimed_at text);
    create table streams (id text, repo_id text, agent_id text, name text, branch text, base_branch text,
      parent_stream_id text, task_id text, status text, created_at text);
    create table patch_reviews (id text, stream_id text, reviewer_id text, verdict text, feedback text,
      tested integer, is_human integer, reviewed_at text);
    create table repo_councils (id text, repo_id text, min_karma integer, min_contributions integer,
      min_members integer, max_members integer, standard_quorum integer, critical_quorum integer, status text,
      term_limit_months integer, election_interval_days integer, created_at text);
    create table council_members (id text, council_id text, agent_id text, role text, joined_at text);
    create table schema_version (version integer);
    insert into agents values ('${OLGA}', 'Olga', null, 'hash1', 30, 'active', '2026-01-01 10:00:00'),
      ('${CODER}', 'coder', 'writes', 'hash2', 4, 'inactive', '2026-01-02 10:00:00');
    insert into repos values ('${REPO}', 'old name', null, 'growth', 'guild', 'public', 0, 0, 0.75, 2, 1.5,
      'review', '$(touch pwned)', 'main', 1, 1, 'touch pwned', '2026-01-01 09:00:00');
    insert into maintainers values ('1', '${REPO}', '${OLGA}', 'owner', '2026-01-01 10:00:00');
    insert into branch_rules values ('1', '${REPO}', 'release/*', 'none', 1, 1, 3);
    insert into tasks values ('${TASK}', '${REPO}', 'Redesign', 'all of it', 'claimed', 'high', 50, '["auth"]',
      '${OLGA}', '2026-01-03 10:00:00'),
      ('d1', '${REPO}', 'Lost', '', 'expired', 'low', 0, 'not json', 'nobody', 'yesterday');
    insert into task_claims values ('e1', '${TASK}', '${CODER}', 'active', '0badcafe', '2026-01-04 10:00:00');
    insert into streams values ('0badcafe', '${REPO}', '${CODER}', 'auth', 'stream/0badcafe', 'buffer', null,
      '${TASK}', 'in_review', '2026-01-04 10:00:00'),
      ('1badcafe', '${REPO}', '${CODER}', 'gone', 'stream/1badcafe', 'buffer', null, null, 'active', '2026-01-04 10:00:00');
    insert into patch_reviews values ('f1', '0badcafe', '${OLGA}', 'approve', 'fine', 1, 1, '2026-01-05 10:00:00');
    insert into repo_councils values ('99', '${REPO}', 50, 3, 2, 9, 2, 3, 'active', 6, 90, '2026-01-01 10:00:00');
    insert into council_members values ('1', '99', '${OLGA}', 'chair', '2026-01-01 10:00:00');
  `);
  db.close();
}

function oldRepository() {
  const git = gitFixture({ branch: 'main' });
  signAs(git, git.dir, 'Olga');
  git.commit('begin', { 'a.txt': 'a\n' });
  git.git('branch', 'stream/0badcafe');
  mkdirSync(join(git.dir, '.gitswarm'));
  const file = join(git.dir, '.gitswarm/federation.db');
  writeOldDatabase(file);
  return { git, file };
}

it('what an earlier program kept is taken over under its ids, and its file is kept as it was', async () => {
  const { git, file } = oldRepository();
  const before = readFileSync(file);
  const environment = readEnvironment(storyEnv);
  const early = await openApp({ dir: git.dir, environment }).catch((error: unknown) => error);
  expect(early).toMatchObject({ code: 'not_initialised', fix: 'gitswarm init' });
  const { repo, owner, created } = await initApp({ dir: git.dir, environment, request: { owner: 'Olga' } });
  expect({ id: repo.id, name: repo.name, stage: repo.stage, created }).toEqual({
    id: dashed(REPO),
    name: 'old name',
    stage: 'growth',
    created: true,
  });
  expect(owner).toMatchObject({ id: dashed(OLGA), karma: 30 });
  expect(readFileSync(`${file}.forerunner`)).toEqual(before);

  const story = new Story(git, git.dir);
  const repoId = await story.repoId();
  const { config, settings } = await story.run(null, async (workflow) => workflow.repo);
  expect(config).toMatchObject({
    merge_mode: 'review',
    buffer_branch: 'buffer',
    consensus_threshold: 0.75,
    min_reviews: 2,
    auto_promote_on_green: true,
    branch_rules: [{ pattern: 'release/*', require_tests_pass: true, priority: 3 }],
  });
  expect(settings.ownership_model).toBe('guild');
  expect(await story.ask(showAgent, { agent: 'coder' })).toMatchObject({
    id: dashed(CODER),
    karma: 4,
    status: 'suspended',
  });
  expect((await story.ask(listMaintainers, { repoId })).items).toMatchObject([{ role: 'owner' }]);
  const tasks = (await story.ask(listTasks, { repoId })).items;
  expect(tasks.map(({ title, status, labels }) => [title, status, labels]).sort()).toEqual([
    ['Lost', 'cancelled', []],
    ['Redesign', 'claimed', ['auth']],
  ]);
  expect(tasks.find(({ title }) => title === 'Redesign')).toMatchObject({
    id: dashed(TASK),
    createdAt: '2026-01-03T10:00:00.000Z',
  });
  const streams = (await story.ask(listStreams, { repoId })).items;
  expect(streams.map(({ name, state }) => [name, state]).sort()).toEqual([
    ['auth', 'active'],
    ['gone', 'abandoned'],
  ]);
  const auth = streams.find(({ name }) => name === 'auth')?.id ?? '';
  const { items: reviews } = await story.ask(listReviews, { stream: auth });
  expect(reviews).toMatchObject([{ verdict: 'approve', feedback: 'fine', stale: true }]);
  expect(await story.ask(showCouncil, { repoId })).toMatchObject({ status: 'forming', seated: 1 });
  // A command of the old database runs as little as any other that nobody approved here.
  expect(await refusal(story.stabilize())).toMatchObject({ code: 'untrusted_command' });
  expect(existsSync(join(git.dir, 'pwned'))).toBe(false);

  const again = await initApp({ dir: git.dir, environment, request: { owner: 'Olga' } });
  expect(again).toMatchObject({ created: false, repo: { id: repo.id } });
  await story.run('Olga', async (workflow) => (await uninit(workflow, { force: true })).finish());
  expect(readFileSync(file)).toEqual(before);
});

it('a takeover that was interrupted begins again from the file that was kept', async () => {
  const { git, file } = oldRepository();
  const environment = readEnvironment(storyEnv);
  // As after a crash between setting the old file aside and the first commit to the new one.
  writeFileSync(`${file}.forerunner`, readFileSync(file));
  writeFileSync(file, '');
  const { repo } = await initApp({ dir: git.dir, environment, request: { owner: 'Olga' } });
  expect(repo.id).toBe(dashed(REPO));
});

it('an old database with a value that cannot be is refused, and stays', async () => {
  const { git, file } = oldRepository();
  const db = new DatabaseSync(file);
  db.exec(`update tasks set priority = 'whenever'`);
  db.close();
  const before = readFileSync(file);
  const environment = readEnvironment(storyEnv);
  const failed = await initApp({ dir: git.dir, environment, request: { owner: 'Olga' } }).catch(
    (e: unknown) => e,
  );
  expect(isSwarmError(failed, 'invalid')).toBe(true);
  expect(readFileSync(`${file}.forerunner`)).toEqual(before);
});
