import * as agents from './agents.ts';
import * as branchRules from './branch-rules.ts';
import * as budgets from './budgets.ts';
import * as councils from './councils.ts';
import * as editStream from './edit-stream.ts';
import * as elections from './elections.ts';
import type { Endpoint } from './endpoint.ts';
import * as events from './events.ts';
import * as hosting from './hosting.ts';
import * as housekeeping from './housekeeping.ts';
import * as initRepo from './init-repo.ts';
import * as invites from './invites.ts';
import * as karma from './karma.ts';
import * as keys from './keys.ts';
import * as me from './me.ts';
import * as merges from './merges.ts';
import * as notifications from './notifications.ts';
import * as orgs from './orgs.ts';
import * as plugins from './plugins.ts';
import * as proposals from './proposals.ts';
import * as pushes from './pushes.ts';
import * as repos from './repos.ts';
import * as reviews from './reviews.ts';
import * as serverAdmin from './server-admin.ts';
import * as sessions from './sessions.ts';
import * as stabilizations from './stabilizations.ts';
import * as stages from './stages.ts';
import * as status from './status.ts';
import * as streams from './streams.ts';
import * as tasks from './tasks.ts';
import * as undo from './undo.ts';
import * as uploads from './uploads.ts';
import * as workplans from './workplans.ts';

const modules = [
  agents,
  repos,
  tasks,
  streams,
  reviews,
  merges,
  stabilizations,
  events,
  undo,
  status,
  housekeeping,
  budgets,
  councils,
  proposals,
  elections,
  karma,
  stages,
  orgs,
  branchRules,
  workplans,
  notifications,
  plugins,
  initRepo,
  hosting,
  editStream,
  pushes,
  uploads,
  serverAdmin,
  sessions,
  keys,
  invites,
  me,
];

/** Every endpoint of the contract. */
export const endpoints: Endpoint[] = modules.flatMap((module) => Object.values(module).filter(isEndpoint));

function isEndpoint(value: unknown): value is Endpoint {
  return (
    typeof value === 'object' && value !== null && 'method' in value && 'path' in value && 'input' in value
  );
}
