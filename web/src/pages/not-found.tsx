import { Link } from '@tanstack/react-router';

export function NotFoundPage() {
  return (
    <main className="mx-auto max-w-md px-4 py-24 text-center">
      <title>Not found · GitSwarm</title>
      <h1 className="text-xl font-semibold">There is no such page</h1>
      <p className="mt-2 text-soft">
        Go back to the{' '}
        <Link to="/" className="text-accent underline">
          repositories
        </Link>
        .
      </p>
    </main>
  );
}
