import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useId, useState } from 'react';
import { signIn } from '../api.ts';
import { Button } from '../parts/button.tsx';
import { ErrorNotice } from '../parts/notice.tsx';

/** The way in: by a link, whose one use is the button, or by a key. */
export function SignInPage({ token }: { token: string | undefined }) {
  const [apiKey, setApiKey] = useState('');
  const keyId = useId();
  const client = useQueryClient();
  const navigate = useNavigate();
  const enter = useMutation({
    mutationFn: signIn,
    onSuccess: async () => {
      setApiKey('');
      await client.invalidateQueries({ queryKey: ['me'] });
      if (window.location.pathname === '/login') await navigate({ to: '/', replace: true });
    },
  });
  return (
    <main className="mx-auto flex min-h-dvh max-w-sm flex-col justify-center px-4 py-10">
      <title>Sign in · GitSwarm</title>
      <img src="/favicon.svg" alt="" className="mb-4 size-10" />
      <h1 className="text-xl font-semibold">Sign in to GitSwarm</h1>
      <p className="mt-1 mb-5 text-sm text-soft">Watch the swarm, judge its work, land it.</p>
      <div className="space-y-4">
        {enter.error ? <ErrorNotice error={enter.error} /> : null}
        {token === undefined ? null : (
          <div className="rounded-lg border border-line bg-card p-4">
            <p className="mb-3 text-sm">Your link signs you in once, on this browser.</p>
            <Button look="strong" isBusy={enter.isPending} onClick={() => enter.mutate({ token })}>
              Sign in with this link
            </Button>
          </div>
        )}
        <form
          className="rounded-lg border border-line bg-card p-4"
          onSubmit={(event) => {
            event.preventDefault();
            enter.mutate({ apiKey: apiKey.trim() });
          }}
        >
          <label htmlFor={keyId} className="text-sm font-medium">
            {token === undefined ? 'API key' : 'Or with an API key'}
          </label>
          <input
            id={keyId}
            type="password"
            autoComplete="current-password"
            spellCheck={false}
            placeholder="gsw_…"
            value={apiKey}
            onChange={(event) => setApiKey(event.target.value)}
            className="mt-1.5 mb-3 w-full rounded-md border border-line bg-page px-3 py-2 font-mono text-sm placeholder:text-soft"
          />
          <Button
            type="submit"
            look={token === undefined ? 'strong' : 'plain'}
            isBusy={enter.isPending}
            disabled={apiKey.trim() === ''}
          >
            Sign in
          </Button>
        </form>
        <p className="text-xs text-soft">
          No key at hand? Where the server runs, <code className="font-mono">gitswarm server login-link</code>{' '}
          makes a link.
        </p>
      </div>
    </main>
  );
}
