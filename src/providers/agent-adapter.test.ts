import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  plainRun,
  temporaryFolder,
  testEnvironment,
  untilNobodyIn,
} from '../../test/support/process-fixture.ts';
import type { AgentAdapter, AgentEvent, AgentJob } from './agent-adapter.ts';
import { commandAgent } from './command-agent.ts';
import { scriptedAgent } from './scripted-agent.ts';

/** What every adapter must be able to play in order to be tested: the same deeds, each in its own way. */
interface Deeds {
  /** Says "hello", writes `made.txt` with the text "made", ends well. */
  works: AgentAdapter;
  /** Ends with exit code 7. */
  fails: AgentAdapter;
  /** Says "waiting", then does nothing for ever, in a child process. */
  hangs: AgentAdapter;
  /** Cannot even begin. */
  broken: AgentAdapter;
  /** Says what the variable COLOUR holds. */
  reads: AgentAdapter;
}

const command = (line: string) => commandAgent({ command: line, run: plainRun });
const scripted = (...steps: unknown[]) => scriptedAgent({ scriptFor: () => ({ steps }), run: plainRun });

const adapters: Record<string, Deeds> = {
  command: {
    works: command('echo hello; printf made > made.txt'),
    fails: command('exit 7'),
    hangs: command('echo waiting; sleep 1000'),
    broken: command('no-such-agent'),
    reads: command('echo $COLOUR'),
  },
  scripted: {
    works: scripted({ say: 'hello' }, { write: { path: 'made.txt', content: 'made' } }),
    fails: scripted({ run: ['sh', '-c', 'exit 7'] }),
    hangs: scripted({ say: 'waiting' }, { run: ['sleep', '1000'] }),
    broken: scripted({ dance: true }),
    reads: scripted({ run: ['sh', '-c', 'echo $COLOUR'] }),
  },
};

async function job(changes: Partial<AgentJob> = {}): Promise<AgentJob & { events: AgentEvent[] }> {
  const events: AgentEvent[] = [];
  return {
    prompt: 'Do the task.',
    cwd: await temporaryFolder(),
    env: testEnvironment({ COLOUR: 'green' }),
    timeoutMs: 60_000,
    role: 'author',
    outputFile: join(await temporaryFolder(), 'output.txt'),
    onEvent: (event) => events.push(event),
    events,
    ...changes,
  };
}

describe.each(Object.entries(adapters))('the agent adapter %s', (name, deeds) => {
  test('has its name', () => {
    expect(deeds.works.name).toBe(name);
  });

  test('plays an agent to its end in the workspace and keeps what it said', async () => {
    const given = await job();
    const result = await deeds.works.start(given).done;
    expect(result).toMatchObject({
      kind: 'finished',
      exitCode: 0,
      outputTail: 'hello\n',
      stdoutTail: 'hello\n',
    });
    expect(result.durationMs).toBeGreaterThan(0);
    expect(await readFile(join(given.cwd, 'made.txt'), 'utf8')).toBe('made');
    expect(await readFile(given.outputFile, 'utf8')).toBe('hello\n');
  });

  test('tells what happens while it happens', async () => {
    const given = await job();
    await deeds.works.start(given).done;
    const output = given.events.filter((event) => event.type === 'output');
    expect(output.map((event) => event.text).join('')).toBe('hello\n');
    const status = given.events.filter((event) => event.type === 'status');
    expect(status.map((event) => event.text)).toEqual(['started', 'finished']);
    for (const { at } of given.events) expect(new Date(at).toISOString()).toBe(at);
  });

  test('works without a listener', async () => {
    expect(await deeds.works.start(await job({ onEvent: undefined })).done).toMatchObject({ exitCode: 0 });
  });

  test('gives the agent its environment', async () => {
    expect((await deeds.reads.start(await job()).done).outputTail).toBe('green\n');
  });

  test('passes the exit code on', async () => {
    expect(await deeds.fails.start(await job()).done).toMatchObject({ kind: 'finished', exitCode: 7 });
  });

  test('ends an agent that takes too long, with its children', async () => {
    const given = await job({ timeoutMs: 300 });
    expect(await deeds.hangs.start(given).done).toMatchObject({ kind: 'timed_out', which: 'total' });
    await untilNobodyIn(given.cwd);
  });

  test('ends an agent that falls silent, with its children', async () => {
    const given = await job({ idleTimeoutMs: 300 });
    const result = await deeds.hangs.start(given).done;
    expect(result).toMatchObject({ kind: 'timed_out', which: 'idle' });
    await untilNobodyIn(given.cwd);
  });

  test('ends an agent when it is cancelled, and gives the reason', async () => {
    const started = Promise.withResolvers<void>();
    const given = await job({ onEvent: (event) => event.text.includes('waiting') && started.resolve() });
    const agent = deeds.hangs.start(given);
    await started.promise;
    agent.cancel('the task was taken back');
    agent.cancel('a second time');
    expect(await agent.done).toMatchObject({ kind: 'cancelled', reason: 'the task was taken back' });
    await untilNobodyIn(given.cwd);
  });

  test('ends an agent when the signal of the job says so', async () => {
    const controller = new AbortController();
    const onEvent = (event: AgentEvent) => event.text.includes('waiting') && controller.abort('shut down');
    const agent = deeds.hangs.start(await job({ signal: controller.signal, onEvent }));
    expect(await agent.done).toMatchObject({ kind: 'cancelled', reason: 'shut down' });
  });

  test('does not start what is cancelled already', async () => {
    const given = await job({ signal: AbortSignal.abort('too late') });
    expect(await deeds.works.start(given).done).toMatchObject({ kind: 'cancelled', reason: 'too late' });
    await expect(stat(join(given.cwd, 'made.txt'))).rejects.toThrow();
  });

  test('may be cancelled after the end', async () => {
    const agent = deeds.works.start(await job());
    await agent.done;
    agent.cancel('late');
    expect(await agent.done).toMatchObject({ kind: 'finished' });
  });

  test('says why an agent cannot start', async () => {
    expect(await deeds.broken.start(await job()).done).toMatchObject({
      kind: 'failed_to_start',
      reason: expect.stringMatching(/no-such-agent|steps\[0\]/),
    });
    const nowhere = await deeds.works.start(await job({ cwd: '/no/such/workspace' })).done;
    expect(nowhere).toMatchObject({
      kind: 'failed_to_start',
      reason: expect.stringContaining('/no/such/workspace'),
    });
    const mute = await deeds.works.start(await job({ outputFile: '/no/such/folder/output' })).done;
    expect(mute).toMatchObject({
      kind: 'failed_to_start',
      reason: expect.stringContaining('/no/such/folder'),
    });
  });
});
