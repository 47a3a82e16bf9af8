import { isoTime } from '../../base/clock.ts';
import { plainLine } from '../../base/plain-text.ts';
import { SwarmError } from '../../contract/errors.ts';
import { listEvents, type SwarmEvent } from '../../contract/events.ts';
import { parseDuration } from '../../contract/repo-files.ts';
import type { Command, Options } from '../command.ts';
import { flagOption, numberOption, textOption } from '../options.ts';
import { relativeTime } from '../output/hints.ts';
import { table } from '../output/table.ts';
import { patiently } from '../patiently.ts';
import type { Session } from '../session.ts';

const LOOK_EVERY_MS = 500;

const log: Command = {
  name: 'log',
  summary: 'What has happened, newest first.',
  actor: 'reader',
  options: [
    { flags: '--limit <n>', summary: 'how many (default 20)' },
    { flags: '--type <type>', summary: 'only this type, such as merge.landed or stream.*' },
    { flags: '--actor <agent>', summary: 'only what this agent did' },
    { flags: '--subject <x>', summary: 'only what is about this: a handle or an id' },
    { flags: '--since <time>', summary: 'only since then: 2h, 7d, or an ISO time' },
    {
      flags: '--follow',
      summary:
        'go on with what happens next, oldest first: a line (with --json a document) each, until Ctrl-C',
    },
  ],
  async run(session, _args, options) {
    const workflow = await session.workflow();
    const filter = filterOf(options, workflow.clock.now());
    const limit = numberOption(options, 'limit') ?? 20;
    if (limit < 1) throw new SwarmError('usage', `--limit wants 1 or more, not ${limit}.`);
    const items: SwarmEvent[] = [];
    for (let cursor: string | null | undefined; cursor !== null && items.length < limit; ) {
      const page = {
        repoId: workflow.repo.id,
        limit: Math.min(200, limit - items.length),
        cursor,
        ...filter,
      };
      const answer = await workflow.authority.call(listEvents, page);
      items.push(...answer.items);
      cursor = answer.nextCursor;
    }
    if (flagOption(options, 'follow')) return follow(session, items, filter);
    return {
      data: items,
      text: () =>
        items.length === 0
          ? 'Nothing has happened yet.'
          : eventTable(items, { now: workflow.clock.now(), width: session.output.width }),
    };
  },
};

type Filter = ReturnType<typeof filterOf>;

function filterOf(options: Options, now: number) {
  const since = textOption(options, 'since');
  const type = textOption(options, 'type');
  return {
    type,
    actor: textOption(options, 'actor'),
    subject: textOption(options, 'subject'),
    since: since === undefined ? undefined : timeOf(since, now),
  };
}

function timeOf(text: string, now: number): string {
  const ago = parseDuration(text);
  const at = ago === undefined ? Date.parse(text) : now - ago;
  if (!Number.isNaN(at)) return isoTime(at);
  throw new SwarmError('usage', `--since wants a time such as 2h or an ISO time, not "${text}".`);
}

function eventTable(events: SwarmEvent[], look: { now: number; width: number | undefined }): string {
  return table(
    events,
    [
      { title: 'WHEN', value: (event) => relativeTime(event.createdAt, look.now) },
      { title: 'WHO', value: (event) => plainLine(event.actorName ?? '-') },
      { title: 'WHAT', value: (event) => event.type },
      { title: 'DETAILS', value: details, canShrink: true },
    ],
    { width: look.width },
  );
}

function details(event: SwarmEvent): string {
  const parts = Object.entries(event.data)
    .filter(([, value]) => typeof value === 'string' || typeof value === 'number')
    .map(([key, value]) => `${key}=${String(value).slice(0, 40)}`);
  return plainLine(parts.join(' '));
}

/** The result is a stream: each event as it comes, a line for people, a JSON document a line for programs. */
async function follow(session: Session, recent: SwarmEvent[], filter: Filter) {
  const workflow = await session.workflow();
  const write = session.output.stream();
  const line = (event: SwarmEvent) =>
    `${event.createdAt}  ${plainLine(event.actorName ?? '-')}  ${event.type}  ${details(event)}`;
  for (const event of [...recent].reverse()) write(event, line(event));
  let after = recent[0]?.seq ?? 0;
  let seen = recent.length;
  while (!session.signal.aborted) {
    const next = { repoId: workflow.repo.id, limit: 200, ...filter, after: String(after) };
    const page = await patiently(session, () => workflow.authority.call(listEvents, next));
    const items = page?.items ?? [];
    for (const event of items) {
      write(event, line(event));
      after = event.seq;
      seen++;
    }
    if (items.length === 0) await new Promise((done) => setTimeout(done, LOOK_EVERY_MS));
  }
  return { data: { seen }, text: () => '' };
}

export const commands = [log];
