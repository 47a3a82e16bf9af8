import { join } from 'node:path';
import { playScript } from '../../app/agents.ts';
import type { Environment } from '../../app/environment.ts';
import { SwarmError } from '../../contract/errors.ts';
import type { Command } from '../command.ts';
import { commands as agent } from '../commands/agent.ts';
import { commands as commit } from '../commands/commit.ts';
import { commands as config } from '../commands/config.ts';
import { commands as init } from '../commands/init.ts';
import { commands as merge } from '../commands/merge.ts';
import { commands as promote } from '../commands/promote.ts';
import { commands as review } from '../commands/review.ts';
import { commands as stabilize } from '../commands/stabilize.ts';
import { commands as status } from '../commands/status.ts';
import { commands as stream } from '../commands/stream.ts';
import { commands as swarm } from '../commands/swarm.ts';
import { commands as task } from '../commands/task.ts';
import { commands as workspace } from '../commands/workspace.ts';
import { commandText } from '../output/hints.ts';
import type { Output } from '../output/output.ts';
import { silentProgress } from '../output/progress.ts';
import { runProgram } from '../run-program.ts';
import type { Edit } from './cast.ts';

const PLAYED: Command[] = [
  ...[
    init,
    agent,
    task,
    workspace,
    commit,
    stream,
    review,
    merge,
    config,
    stabilize,
    promote,
    status,
    swarm,
  ].flat(),
];

export interface StepRecord {
  command: string;
  exit: number;
}

/** Where the demo plays: it shows each command, runs exactly that through the command line, and shows its answer. */
export interface Stage {
  dir: string;
  steps: StepRecord[];
  /** A heading of the story. */
  chapter(title: string, text?: string): void;
  /** Points at what is easily overlooked. */
  remark(text: string): void;
  /** Runs `gitswarm <argv>` in the repository of the demo; answers its data. Any other exit code than `exit` throws. */
  run(argv: string[], exit?: number): Promise<unknown>;
  edit(agentName: string, directory: string, edit: Edit): Promise<void>;
}

export function openStage(given: {
  dir: string;
  environment: Environment;
  output: Output;
  signal: AbortSignal;
}): Stage {
  const { dir, environment, output, signal } = given;
  const { style } = output;
  const steps: StepRecord[] = [];
  return {
    dir,
    steps,
    chapter: (title, text) => output.note(`\n${style.bold(title)}${text ? `\n${text}` : ''}`),
    remark: (text) => output.note(style.dim(`  (${text})`)),
    run: async (argv, exit = 0) => {
      refuseInterrupted(signal);
      const command = `gitswarm ${commandText(argv)}`;
      output.note(`\n${style.cyan(`$ ${command}`)}`);
      const heard = listen(output);
      const got = await runProgram(['-C', dir, ...argv], {
        commands: PLAYED.filter((each) => each.name.split(' ')[0] === argv[0]),
        output: heard.output,
        environment,
      });
      steps.push({ command, exit: got });
      if (got === exit) return heard.data();
      refuseInterrupted(signal);
      throw new SwarmError(
        'internal',
        `The demo went astray: ${command} ended with exit code ${got}, not ${exit}.`,
      );
    },
    edit: async (agentName, directory, { says, steps: script }) => {
      output.note(`\n${style.dim(`# ${agentName} ${says}`)}`);
      const outputFile = join(dir, '..', 'agent.log');
      await playScript(
        { steps: script },
        { directory, outputFile, environment: plainVariables(environment) },
      );
    },
  };
}

function refuseInterrupted(signal: AbortSignal): void {
  if (signal.aborted) throw new SwarmError('interrupted', 'The demo was interrupted.');
}

/** Shows to people what a command answers, and keeps the data for the story. */
function listen(output: Output): { output: Output; data(): unknown } {
  let data: unknown;
  const indent = (text: string) =>
    text
      .trimEnd()
      .split('\n')
      .map((line) => `  ${line}`)
      .join('\n');
  return {
    data: () => data,
    output: {
      ...output,
      isJson: false,
      result: (answer, text) => {
        data = answer;
        output.note(indent(withoutHints(text())));
      },
      note: (text) => output.note(indent(text)),
      progress: () => silentProgress,
      live: () => undefined,
    },
  };
}

/** The story goes its own way: what could be done next or taken back is not part of it. */
function withoutHints(text: string): string {
  return text
    .split('\n')
    .filter((line) => !/^\S*(next|undo):/.test(line))
    .join('\n');
}

function plainVariables({ variables }: Environment): Record<string, string> {
  return Object.fromEntries(
    Object.entries(variables).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}
