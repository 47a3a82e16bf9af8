import type { Clock } from '../base/clock.ts';
import { SwarmError } from '../contract/errors.ts';
import type { AgentAdapter, AgentJob } from './agent-adapter.ts';
import { commandAgent } from './command-agent.ts';
import type { RunProcess } from './run-process.ts';
import { scriptedAgent } from './scripted-agent.ts';

/** What adapters may need; each takes its own part and says what is missing. */
export interface AdapterSettings {
  run: RunProcess;
  command?: string | undefined;
  scriptFor?: ((job: AgentJob) => unknown) | undefined;
  clock?: Clock;
}

const ADAPTERS = {
  command: ({ command, ...rest }) =>
    commandAgent({ ...rest, command: needed(command, 'command', 'give a command with --agent "CMD"') }),
  scripted: ({ scriptFor, ...rest }) =>
    scriptedAgent({ ...rest, scriptFor: needed(scriptFor, 'scripted', 'give a script') }),
} satisfies Record<string, (settings: AdapterSettings) => AgentAdapter>;

export type AdapterName = keyof typeof ADAPTERS;

export const adapterNames = Object.keys(ADAPTERS) as AdapterName[];

/** Throws `not_found` for a name nobody has, `not_configured` where a setting of that adapter is missing. */
export function createAdapter(name: string, settings: AdapterSettings): AgentAdapter {
  const known = adapterNames.find((candidate) => candidate === name);
  if (known === undefined) {
    throw new SwarmError('not_found', `There is no agent adapter ${JSON.stringify(name)}`, {
      fix: `use one of: ${adapterNames.join(', ')}`,
      details: { adapters: adapterNames },
    });
  }
  return ADAPTERS[known](settings);
}

function needed<T>(value: T | undefined, adapter: string, fix: string): T {
  if (value !== undefined) return value;
  throw new SwarmError('not_configured', `The agent adapter ${adapter} has nothing to run`, { fix });
}
