import { useEffect, useState } from 'react';
import { agoWords } from '../words.ts';

/** A time as people say it; the exact one when they point at it. */
export function Ago({ time }: { time: string }) {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 30_000);
    return () => clearInterval(timer);
  }, []);
  return (
    <time dateTime={time} title={new Date(time).toLocaleString()} className="whitespace-nowrap text-soft">
      {agoWords(time, now)}
    </time>
  );
}
