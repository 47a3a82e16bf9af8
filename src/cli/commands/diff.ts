import { plain, plainLine } from '../../base/plain-text.ts';
import { SwarmError } from '../../contract/errors.ts';
import { diffStream, type StreamDiff } from '../../workflows/diff-stream.ts';
import type { Command } from '../command.ts';
import { flagOption, textOption } from '../options.ts';
import { count } from '../output/hints.ts';
import type { Style } from '../output/style-text.ts';
import { table } from '../output/table.ts';
import { streamTitle } from './stream-answer.ts';

const diff: Command = {
  name: 'diff',
  summary: 'What a stream changes, since the commit it began at.',
  args: '[stream]',
  actor: 'reader',
  options: [
    { flags: '--stat', summary: 'only the files and how many lines' },
    { flags: '--against <what>', summary: 'compare with buffer, target, or another stream as they are now' },
    { flags: '--since-review', summary: 'only what changed since your last verdict' },
  ],
  examples: ['gitswarm diff s-3fxa', 'gitswarm diff s-3fxa --since-review --as reviewer'],
  async run(session, [name], options) {
    const against = textOption(options, 'against');
    const sinceReview = flagOption(options, 'sinceReview');
    if (against !== undefined && sinceReview) {
      throw new SwarmError('usage', '--against and --since-review exclude each other.');
    }
    const statOnly = flagOption(options, 'stat');
    const workflow = await session.workflow();
    const found = await diffStream(workflow, {
      stream: await session.streamRef(name),
      against: against === '.' ? await session.streamRef('.') : against,
      sinceReview,
      // Whoever was only inferred has not looked; and a list of files shows no change to judge.
      remember: session.isNamed && !statOnly,
      withPatch: !statOnly,
    });
    const { id, handle, name: title, branch, state } = found.stream;
    return {
      data: {
        stream: { id, handle, name: title, branch, state },
        base: found.base,
        head: found.head,
        files: found.stat.perFile.map(({ path, insertions, deletions }) => ({
          path,
          insertions: insertions ?? null,
          deletions: deletions ?? null,
        })),
        patch: found.patch,
      },
      text: () => diffWords(found, { statOnly, style: session.output.style }),
    };
  },
};

function diffWords(found: StreamDiff, look: { statOnly: boolean; style: Style }): string {
  const { stat, patch, stream } = found;
  if (stat.files === 0) return `${streamTitle(stream)} changes nothing.`;
  if (!look.statOnly) return coloured(plain(patch), look.style);
  const number = (lines: number | undefined) => (lines === undefined ? 'binary' : String(lines));
  const rows = table(stat.perFile, [
    { title: 'FILE', value: (file) => plainLine(file.path) },
    { title: '+', value: (file) => number(file.insertions), align: 'right' },
    { title: '-', value: (file) => number(file.deletions), align: 'right' },
  ]);
  return `${rows}\n${count(stat.files, 'file')}, +${stat.insertions} -${stat.deletions}`;
}

function coloured(patch: string, style: Style): string {
  const paint = (line: string) => {
    if (/^(diff |index |\+\+\+ |--- )/.test(line)) return style.bold(line);
    if (line.startsWith('+')) return style.green(line);
    if (line.startsWith('-')) return style.red(line);
    return line.startsWith('@@') ? style.cyan(line) : line;
  };
  return patch.split('\n').map(paint).join('\n');
}

export const commands = [diff];
