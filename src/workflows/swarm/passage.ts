import type { Agent } from '../../contract/agents.ts';
import type { Stream } from '../../contract/streams.ts';
import type { Task } from '../../contract/tasks.ts';
import type { Feedback } from './prompts.ts';

/** One task on its way through the lane of one agent. */
export interface Passage {
  worker: Agent;
  task: Task;
  stream: Stream;
  attempts: number;
  /** What the next attempt must know; set means that the agent has work to do whatever the state says. */
  feedback: Feedback | undefined;
}

/** The same where the making of the stream may have failed. */
export type Begun = Omit<Passage, 'stream'> & { stream: Stream | undefined };
