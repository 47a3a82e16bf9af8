import { plainLine } from '../base/plain-text.ts';
import type { SwarmNews } from '../workflows/swarm/swarm-run.ts';
import { duration } from './output/hints.ts';
import type { LiveLines } from './output/live-lines.ts';
import type { Output } from './output/output.ts';

export interface SwarmView {
  tell(news: SwarmNews): void;
  end(): void;
}

interface Lane {
  task: string | null;
  title: string;
  stage: string;
  detail: string;
  /** The last thing the agent wrote. */
  said: string;
  since: number;
}

const REDRAWN_EVERY_MS = 250;
const LONGEST_DETAIL = 200;

/** One line for each agent on a terminal; elsewhere a line for each thing that happens. */
export function swarmView(output: Output, now: () => number): SwarmView {
  const live = output.live();
  return live ? liveView(output, live, now) : plainView(output);
}

function plainView(output: Output): SwarmView {
  return {
    tell: (news) => {
      if (news.kind === 'note') output.note(plainLine(news.text));
      if (news.kind === 'stage' && news.stage !== 'idle') output.note(stageLine(news));
    },
    end: () => {},
  };
}

function stageLine(news: Extract<SwarmNews, { kind: 'stage' }>): string {
  const detail = plainLine(news.detail).slice(0, LONGEST_DETAIL);
  const words = [
    news.agent,
    news.stage.replace('_', ' '),
    news.task ?? '',
    plainLine(news.title),
    detail && `(${detail})`,
  ];
  return words.filter((word) => word !== '').join('  ');
}

function liveView(output: Output, live: LiveLines, now: () => number): SwarmView {
  const lanes = new Map<string, Lane>();
  const draw = () => live.draw([...lanes].map(([agent, lane]) => laneLine(output, agent, lane, now())));
  const timer = setInterval(draw, REDRAWN_EVERY_MS);
  timer.unref();
  return {
    tell: (news) => {
      if (news.kind === 'note') output.note(plainLine(news.text));
      else if (news.kind === 'said') {
        const lane = lanes.get(news.agent);
        const last = plainLine(news.text.trimEnd().split('\n').at(-1) ?? '');
        // Drawn with the next tick: some agents write more than anybody could read.
        if (lane && last !== '') lane.said = last;
        return;
      } else if (news.stage === 'idle') {
        lanes.delete(news.agent);
      } else {
        lanes.set(news.agent, { ...news, said: '', since: now() });
        if (news.stage === 'landed' || news.stage === 'given_back') output.note(stageLine(news));
      }
      draw();
    },
    end: () => {
      clearInterval(timer);
      live.done();
    },
  };
}

function laneLine({ style }: Output, agent: string, lane: Lane, now: number): string {
  const what = lane.task === null ? '' : `${lane.task} ${plainLine(lane.title)}`;
  const seconds = Math.floor((now - lane.since) / 1000);
  const elapsed = seconds < 60 ? `${seconds} s` : duration(seconds * 1000);
  const words = [
    agent.padEnd(10),
    colour(style, lane.stage).padEnd(9),
    what,
    elapsed,
    style.dim(lane.said || plainLine(lane.detail)),
  ];
  return words.filter((word) => word !== '').join('  ');
}

function colour(style: Output['style'], stage: string): string {
  const word = stage.replace('_', ' ').padEnd(10);
  if (stage === 'landed') return style.green(word);
  if (stage === 'given_back') return style.red(word);
  return stage === 'in_review' ? style.yellow(word) : style.cyan(word);
}
