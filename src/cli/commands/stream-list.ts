import { allPages } from '../../base/all-pages.ts';
import { plainLine } from '../../base/plain-text.ts';
import {
  listStreamCommits,
  listStreams,
  type Stream,
  StreamState,
  StreamStatus,
  showStream,
} from '../../contract/streams.ts';
import { findWorkspace } from '../../machine/workspaces.ts';
import { predictConflicts } from '../../workflows/predict-conflicts.ts';
import type { Workflow } from '../../workflows/workflow.ts';
import type { Command } from '../command.ts';
import { textOption } from '../options.ts';
import { relativeTime } from '../output/hints.ts';
import { table } from '../output/table.ts';
import { streamText, streamTitle } from './stream-answer.ts';

const list: Command = {
  name: 'stream list',
  summary: 'Units of change, the oldest first.',
  actor: 'reader',
  options: [
    { flags: '--status <status>', summary: 'only these', choices: StreamStatus.options },
    { flags: '--state <state>', summary: 'only in exactly this state', choices: StreamState.options },
    { flags: '--author <agent>', summary: 'only of this agent' },
  ],
  async run(session, _args, options) {
    const workflow = await session.workflow();
    const streams = await allStreams(workflow, {
      status: textOption(options, 'status') as Stream['status'] | undefined,
      state: textOption(options, 'state') as StreamState | undefined,
      author: textOption(options, 'author'),
    });
    return { data: streams, text: () => streamTable(streams, workflow.clock.now(), session.output.width) };
  },
};

function allStreams(
  workflow: Workflow,
  filter: {
    status?: Stream['status'] | undefined;
    state?: StreamState | undefined;
    author?: string | undefined;
  },
): Promise<Stream[]> {
  return allPages((cursor) =>
    workflow.authority.call(listStreams, { repoId: workflow.repo.id, ...filter, limit: 200, cursor }),
  );
}

function streamTable(streams: Stream[], now: number, width: number | undefined): string {
  if (streams.length === 0) return 'No streams.';
  return table(
    streams,
    [
      { title: 'STREAM', value: (stream) => stream.handle },
      { title: 'STATE', value: (stream) => stream.state.replace('_', ' ') },
      { title: 'AUTHOR', value: (stream) => plainLine(stream.authorName) },
      { title: 'COMMITS', value: (stream) => String(stream.commitCount), align: 'right' },
      { title: 'CHANGED', value: (stream) => relativeTime(stream.updatedAt, now) },
      { title: 'NAME', value: (stream) => plainLine(stream.name), canShrink: true },
    ],
    { width: width },
  );
}

const show: Command = {
  name: 'stream show',
  summary: 'One stream.',
  args: '[stream]',
  actor: 'reader',
  async run(session, [name]) {
    const workflow = await session.workflow();
    const stream = await workflow.authority.call(showStream, { stream: await session.streamRef(name) });
    const workspace = findWorkspace(workflow.machine, stream.id)?.path ?? null;
    return { data: { ...stream, workspace }, text: () => streamText(stream, workspace) };
  },
};

const log: Command = {
  name: 'stream log',
  summary: 'The commits of a stream, oldest first.',
  args: '[stream]',
  actor: 'reader',
  async run(session, [name]) {
    const { authority } = await session.workflow();
    const { width } = session.output;
    const { items } = await authority.call(listStreamCommits, { stream: await session.streamRef(name) });
    return {
      data: items,
      text: () =>
        items.length === 0
          ? 'No commits.'
          : table(
              items,
              [
                { title: 'COMMIT', value: (commit) => commit.commit.slice(0, 10) },
                { title: 'CHANGE', value: (commit) => commit.changeId.slice(0, 10) },
                { title: 'AUTHOR', value: (commit) => plainLine(commit.author) },
                {
                  title: 'MESSAGE',
                  value: (commit) => plainLine(commit.message.split('\n')[0] ?? ''),
                  canShrink: true,
                },
              ],
              { width: width },
            ),
    };
  },
};

const conflicts: Command = {
  name: 'stream conflicts',
  summary: 'What a stream conflicts with, and what it would clash with if it landed now.',
  args: '[stream]',
  actor: 'reader',
  async run(session, [name]) {
    const workflow = await session.workflow();
    const stream = await workflow.authority.call(showStream, { stream: await session.streamRef(name) });
    const isOpen = stream.state !== 'merged' && stream.state !== 'abandoned' && stream.commitCount > 0;
    const predicted = isOpen
      ? await predictConflicts(workflow, { streamId: stream.id, head: stream.head, base: stream.baseCommit })
      : [];
    return {
      data: { streamId: stream.id, conflict: stream.conflict, predicted },
      text: () =>
        [
          ...(stream.conflict
            ? [
                `${streamTitle(stream)} conflicts with the ${stream.conflict.with} in`,
                ...stream.conflict.files.map((file) => `  ${plainLine(file.path)}  ${file.kind}`),
              ]
            : []),
          ...predicted.map(
            (other) =>
              `would clash with ${other.with === 'buffer' ? plainLine(other.name) : streamTitle(other)} in ${other.files.map(plainLine).join(', ')}`,
          ),
        ].join('\n') || `${streamTitle(stream)} clashes with nothing.`,
      next:
        stream.conflict || predicted.some((other) => other.with === 'buffer')
          ? `gitswarm stream resolve ${stream.handle}`
          : undefined,
    };
  },
};

interface Node {
  id: string;
  handle: string;
  name: string;
  state: StreamState;
  children: Node[];
}

const graph: Command = {
  name: 'stream graph',
  summary: 'Which stream builds on which.',
  actor: 'reader',
  async run(session) {
    const workflow = await session.workflow();
    const streams = (await allStreams(workflow, {})).filter(
      (stream) => stream.state !== 'merged' && stream.state !== 'abandoned',
    );
    const roots = forest(streams);
    return {
      data: roots,
      text: () =>
        roots.length === 0
          ? 'No open streams.'
          : [
              plainLine(workflow.repo.bufferBranch),
              ...roots.flatMap((root, i) => branchLines(root, i === roots.length - 1, '')),
            ].join('\n'),
    };
  },
};

/** Streams below what they build on; one whose parent has landed or is gone stands on the buffer. */
function forest(streams: Stream[]): Node[] {
  const nodes = new Map<string, Node>(
    streams.map(({ id, handle, name, state }) => [id, { id, handle, name, state, children: [] }]),
  );
  const roots: Node[] = [];
  for (const stream of streams) {
    const node = nodes.get(stream.id);
    const parent = stream.parentStreamId === null ? undefined : nodes.get(stream.parentStreamId);
    if (node) (parent?.children ?? roots).push(node);
  }
  return roots;
}

function branchLines(node: Node, isLast: boolean, before: string): string[] {
  const own = `${before}${isLast ? '└─ ' : '├─ '}${streamTitle(node)}  ${node.state.replace('_', ' ')}`;
  const below = `${before}${isLast ? '   ' : '│  '}`;
  return [
    own,
    ...node.children.flatMap((child, i) => branchLines(child, i === node.children.length - 1, below)),
  ];
}

export const listCommands: Command[] = [list, show, log, conflicts, graph];
