import { useMemo } from 'react';
import { type OutputOf, Refused, type Stream, showFullDiff } from '../api.ts';
import { type DiffFile, type DiffLine, parseDiff } from '../diff.ts';
import { useAnswer } from '../queries.ts';
import { Answered } from './answered.tsx';
import { Card, Empty } from './card.tsx';

/** So many lines a browser lays out without a pause; longer files are opened when they are wanted. */
const MOST_OPEN = 400;
const MOST_SHOWN = 5000;

export function DiffCard({ repoId, stream }: { repoId: string; stream: Stream }) {
  const diff = useAnswer(repoId, showFullDiff, { stream: stream.id });
  const isElsewhere = diff.error instanceof Refused && diff.error.code === 'wrong_state';
  return (
    <Card title="Changes">
      {isElsewhere ? (
        <Empty>The clone is with the agents: the changes can be seen where they are.</Empty>
      ) : (
        <Answered query={diff}>{(answer) => <Files answer={answer} />}</Answered>
      )}
    </Card>
  );
}

function Files({ answer }: { answer: OutputOf<typeof showFullDiff> }) {
  const files = useMemo(() => parseDiff(answer.diff), [answer.diff]);
  if (files.length === 0) return <Empty>Nothing is changed.</Empty>;
  return (
    <div className="divide-y divide-line">
      {files.map((file) => (
        <File key={file.path} file={file} />
      ))}
    </div>
  );
}

function File({ file }: { file: DiffFile }) {
  return (
    <details open={file.lines.length <= MOST_OPEN} className="group">
      <summary className="flex items-center gap-3 px-4 py-2 text-sm hover:bg-sunk">
        <span aria-hidden="true" className="text-soft motion-safe:transition group-open:rotate-90">
          ›
        </span>
        <code className="min-w-0 flex-1 font-mono text-xs [overflow-wrap:anywhere]">{file.path}</code>
        <span className="font-mono text-xs text-good">{`+${file.insertions}`}</span>
        <span className="font-mono text-xs text-bad">{`−${file.deletions}`}</span>
      </summary>
      {file.isBinary ? (
        <Empty>Not text.</Empty>
      ) : (
        <div className="overflow-x-auto border-t border-line font-mono text-xs leading-5">
          <table className="w-full border-collapse">
            <tbody>
              {file.lines.slice(0, MOST_SHOWN).map((line, i) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: the lines of a diff have no other identity and never move
                <Line key={i} line={line} />
              ))}
            </tbody>
          </table>
          {file.lines.length > MOST_SHOWN ? (
            <Empty>{`${file.lines.length - MOST_SHOWN} more lines`}</Empty>
          ) : null}
        </div>
      )}
    </details>
  );
}

const LOOKS: Record<DiffLine['kind'], { row: string; sign: string }> = {
  same: { row: '', sign: ' ' },
  added: { row: 'bg-good-wash', sign: '+' },
  removed: { row: 'bg-bad-wash', sign: '−' },
  note: { row: 'bg-sunk text-soft', sign: '' },
};

function Line({ line }: { line: DiffLine }) {
  const { row, sign } = LOOKS[line.kind];
  const number = 'w-10 min-w-10 px-2 text-right text-soft select-none align-top';
  return (
    <tr className={row}>
      <td className={number}>{line.before}</td>
      <td className={number}>{line.after}</td>
      <td className="w-4 min-w-4 text-soft select-none">{sign}</td>
      <td className="pr-4 whitespace-pre">{line.text || ' '}</td>
    </tr>
  );
}
