import type * as z from 'zod';
import { SwarmError } from '../contract/errors.ts';
import { type ProposalType, proposalData } from '../contract/proposals.ts';
import type { RepoRow } from '../db/tables.ts';
import { getAgentByRef } from '../domain/agents/agents-store.ts';
import { resolveReference } from '../domain/references/references-store.ts';
import { changeSettings } from '../domain/repos/config-settings.ts';
import { configInForce, serverSettings } from '../domain/repos/repos-store.ts';
import type { ReadContext } from './operation.ts';

type RepoContext = ReadContext & { repo: RepoRow };
type Given = { type: ProposalType; target?: string | undefined; data: Record<string, unknown> };

/** What a proposal asks for, checked now and with every reference as the id it means now. */
export async function resolveProposalData(
  context: RepoContext,
  given: Given,
): Promise<Record<string, unknown>> {
  const { db, repo, now } = context;
  const agentId = async (ref: string) => (await getAgentByRef(db, ref)).id;
  const streamId = (ref: string) => resolveReference(db, 'stream', ref, repo.id);
  switch (given.type) {
    case 'add_maintainer':
    case 'remove_maintainer':
      return { agentId: await agentId(parse(given.type, given, 'agent').agent) };
    case 'modify_access': {
      const { agent, level, expiresAt } = parse('modify_access', given, 'agent');
      if (expiresAt !== null && expiresAt <= now) {
        throw new SwarmError('invalid', `A grant cannot expire in the past (${expiresAt}).`);
      }
      return { agentId: await agentId(agent), level, expiresAt };
    }
    case 'change_settings': {
      const { changes } = parse('change_settings', given);
      const { changed } = changeSettings(
        { config: configInForce(repo), settings: serverSettings(repo) },
        changes,
      );
      const asked = changed.map(({ key, after }) => [key, asWritten(key, after)] as const);
      if (asked.length > 0) return { changes: Object.fromEntries(asked) };
      throw new SwarmError('invalid', 'The proposal changes nothing: the settings are so already.', {
        fix: 'gitswarm config list',
      });
    }
    case 'merge_stream': {
      const { stream, ...rest } = parse('merge_stream', given, 'stream');
      return { streamId: await streamId(stream), ...rest };
    }
    case 'revert_stream': {
      const { stream, ...rest } = parse('revert_stream', given, 'stream');
      return { streamId: await streamId(stream), ...rest };
    }
    case 'reorder_queue': {
      const { stream, ...rest } = parse('reorder_queue', given, 'stream');
      if (rest.priority === undefined && !rest.first) {
        throw new SwarmError('usage', 'Where to move it is not said.', {
          fix: `Add --data '{"first":true}', or '{"priority":"high"}'.`,
        });
      }
      return { streamId: await streamId(stream), ...rest };
    }
    case 'promote':
      return parse('promote', given, 'tag');
  }
}

/** A setting as a person writes it: durations are kept in milliseconds, but a bare number means seconds there. */
function asWritten(key: string, value: unknown): unknown {
  return key.endsWith('timeout') && typeof value === 'number' ? `${value / 1000}s` : value;
}

/** The data of a type; the target stands for the key it is about. Throws invalid with what is missing or unknown. */
function parse<T extends ProposalType>(
  type: T,
  given: Given,
  targetKey?: string,
): z.output<(typeof proposalData)[T]> {
  const target = given.target !== undefined && targetKey !== undefined ? { [targetKey]: given.target } : {};
  const result = proposalData[type].safeParse({ ...target, ...given.data });
  if (result.success) return result.data as z.output<(typeof proposalData)[T]>;
  const issues = result.error.issues.map((issue) => `${issue.path.join('.') || 'data'}: ${issue.message}`);
  throw new SwarmError(
    'invalid',
    `A proposal to ${type.replace('_', ' ')} is not complete: ${issues.join('; ')}.`,
    {
      fix:
        targetKey === undefined ? 'Add --data.' : `Add --target <${targetKey}>, and --data where it says so.`,
      details: { keys: Object.keys(proposalData[type].shape) },
    },
  );
}
