import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Link, Outlet } from '@tanstack/react-router';
import { type Agent, signOut } from '../api.ts';
import { type Line, useFollowing } from '../live.ts';
import { SignInPage } from '../pages/sign-in.tsx';
import { useMe } from '../queries.ts';
import { Answered } from './answered.tsx';
import { Button } from './button.tsx';
import { ErrorNotice } from './notice.tsx';

/** What surrounds every page for somebody who is signed in; for anybody else the way in, at the same address. */
export function Shell() {
  const me = useMe();
  return (
    <Answered query={me}>
      {(known) => (known === null ? <SignInPage token={undefined} /> : <Inside agent={known.agent} />)}
    </Answered>
  );
}

function Inside({ agent }: { agent: Agent }) {
  const line = useFollowing();
  const client = useQueryClient();
  const leave = useMutation({
    mutationFn: signOut,
    onSuccess: () => {
      // Nothing of what was seen stays for whoever comes next.
      client.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== 'me' });
      client.setQueryData(['me'], null);
    },
  });
  return (
    <>
      <a href="#content" className="sr-only focus:not-sr-only focus:absolute focus:bg-card focus:p-3">
        Skip to content
      </a>
      <header className="border-b border-line bg-card">
        <div className="mx-auto flex max-w-6xl flex-wrap items-center gap-x-5 gap-y-2 px-4 py-2.5">
          <Link to="/" className="flex items-center gap-2 font-semibold">
            <img src="/favicon.svg" alt="" className="size-6" />
            GitSwarm
          </Link>
          <nav aria-label="Main" className="flex gap-4 text-sm">
            <NavLink to="/">Repositories</NavLink>
            <NavLink to="/agents">Agents</NavLink>
          </nav>
          <div className="ml-auto flex items-center gap-3 text-sm">
            <LineState line={line} />
            <span className="max-w-40 truncate font-medium">{agent.name}</span>
            <Button isBusy={leave.isPending} onClick={() => leave.mutate()}>
              Sign out
            </Button>
          </div>
        </div>
      </header>
      <main id="content" className="mx-auto max-w-6xl px-4 py-6">
        {leave.error ? (
          <div className="mb-4">
            <ErrorNotice error={leave.error} />
          </div>
        ) : null}
        <Outlet />
      </main>
    </>
  );
}

function NavLink({ to, children }: { to: '/' | '/agents'; children: string }) {
  return (
    <Link
      to={to}
      activeOptions={{ exact: true }}
      className="text-soft hover:text-ink aria-[current=page]:font-medium aria-[current=page]:text-ink"
    >
      {children}
    </Link>
  );
}

const LINES: Record<Line, { text: string; dot: string }> = {
  connecting: { text: 'connecting', dot: 'bg-soft' },
  live: { text: 'live', dot: 'bg-good' },
  away: { text: 'reconnecting', dot: 'bg-warn motion-safe:animate-pulse' },
};

function LineState({ line }: { line: Line }) {
  return (
    <span role="status" className="flex items-center gap-1.5 text-xs text-soft">
      <span className={`size-2 rounded-full ${LINES[line].dot}`} />
      {LINES[line].text}
    </span>
  );
}
