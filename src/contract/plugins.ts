import * as z from 'zod';
import { Id, line, PageInput, page, Time } from './common.ts';
import { endpoint } from './endpoint.ts';

/** The automations that come with GitSwarm. */
export const Plugin = z.enum(['promote_buffer_to_main', 'auto_revert_on_red', 'stale_stream_cleanup']);
export type Plugin = z.infer<typeof Plugin>;

export const PluginExecution = z.object({
  id: Id,
  plugin: Plugin,
  /** What it was run for; a plugin runs once for each. */
  trigger: z.string(),
  status: z.enum(['running', 'succeeded', 'failed', 'skipped']),
  result: z.record(z.string(), z.unknown()),
  agentId: Id.nullable(),
  startedAt: Time,
  finishedAt: Time.nullable(),
});
export type PluginExecution = z.infer<typeof PluginExecution>;

/** Newest first. */
export const listPluginExecutions = endpoint('plugin.executions', () => ({
  method: 'GET',
  path: '/repos/:repoId/plugins/executions',
  input: z.object({ repoId: Id, ...PageInput, plugin: Plugin.optional() }),
  output: page(PluginExecution),
}));

/** `proceed` is false where it has run for this already, or plugins are switched off. */
export const beginPlugin = endpoint('plugin.begin', () => ({
  method: 'POST',
  path: '/repos/:repoId/plugins/executions',
  input: z.object({ repoId: Id, plugin: Plugin, trigger: line(300) }),
  output: z.object({ execution: PluginExecution, proceed: z.boolean() }),
  internal: 'clone',
}));

export const finishPlugin = endpoint('plugin.finish', () => ({
  method: 'POST',
  path: '/repos/:repoId/plugins/executions/:execution',
  input: z.object({
    repoId: Id,
    execution: Id,
    status: z.enum(['succeeded', 'failed']),
    result: z.record(z.string(), z.unknown()),
  }),
  output: PluginExecution,
  internal: 'clone',
}));
