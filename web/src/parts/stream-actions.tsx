import { useId, useState } from 'react';
import { type Attention, askForMerge, judge, type Stream, type Verdict } from '../api.ts';
import { useMe } from '../queries.ts';
import { nextWords } from '../words.ts';
import { useWrite } from '../write.ts';
import { Button } from './button.tsx';
import { Card } from './card.tsx';
import { ErrorNotice } from './notice.tsx';

interface StreamActionsProps {
  repoId: string;
  stream: Stream;
  next: Attention | undefined;
  isReached: boolean;
}

const OVER = ['merged', 'abandoned'];
const JUDGED = ['in_review', 'approved', 'changes_requested', 'queued'];

/** Who acts next, and what the reader may do. What one may not do the server refuses, and says why. */
export function StreamActions({ repoId, stream, next, isReached }: StreamActionsProps) {
  const me = useMe().data?.agent.id;
  const merge = useWrite(repoId, askForMerge);
  const isAuthor = me !== undefined && (stream.authorId === me || stream.coAuthorIds.includes(me));
  const mayMerge = isReached && !OVER.includes(stream.state) && stream.state !== 'queued';
  return (
    <Card title="Next">
      <div className="space-y-4 px-4 py-3 text-sm">
        <p>
          {OVER.includes(stream.state) ? (
            `It is ${stream.state}: nothing is left to do.`
          ) : next ? (
            <>
              <span className="font-semibold">
                {next.agentId === me ? 'You' : (next.agentName ?? 'Nobody')}
              </span>
              {`: ${nextWords(next.kind)}. It ${next.text}.`}
            </>
          ) : (
            'It waits for nobody.'
          )}
        </p>
        {mayMerge ? (
          <Button look="strong" isBusy={merge.isPending} onClick={() => merge.mutate({ stream: stream.id })}>
            Merge
          </Button>
        ) : null}
        {merge.error ? <ErrorNotice error={merge.error} /> : null}
        {isAuthor && stream.state === 'in_review' ? (
          <p className="text-soft">You wrote it: somebody else judges it.</p>
        ) : null}
        {!isAuthor && JUDGED.includes(stream.state) ? <JudgeForm repoId={repoId} stream={stream} /> : null}
      </div>
    </Card>
  );
}

/** A verdict is given on the head that is shown: the server refuses it when the stream has moved on. */
function JudgeForm({ repoId, stream }: { repoId: string; stream: Stream }) {
  const [feedback, setFeedback] = useState('');
  const id = useId();
  const write = useWrite(repoId, judge);
  const give = (verdict: Verdict) =>
    write.mutate(
      { stream: stream.id, verdict, feedback, head: stream.head },
      { onSuccess: () => setFeedback('') },
    );
  const isAt = (verdict: Verdict) => write.isPending && write.variables.verdict === verdict;
  return (
    <form className="space-y-2.5" onSubmit={(event) => event.preventDefault()}>
      <label htmlFor={id} className="font-medium">
        Your verdict
      </label>
      <textarea
        id={id}
        rows={3}
        value={feedback}
        onChange={(event) => setFeedback(event.target.value)}
        placeholder="What the author should know"
        className="block w-full rounded-md border border-line bg-page px-3 py-2 placeholder:text-soft"
      />
      <div className="flex flex-wrap gap-2">
        <Button
          look="strong"
          isBusy={isAt('approve')}
          disabled={write.isPending}
          onClick={() => give('approve')}
        >
          Approve
        </Button>
        <Button
          look="bad"
          isBusy={isAt('request_changes')}
          disabled={write.isPending || feedback.trim() === ''}
          onClick={() => give('request_changes')}
        >
          Request changes
        </Button>
      </div>
      {write.error ? <ErrorNotice error={write.error} /> : null}
    </form>
  );
}
