import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';

interface StreamRowProps {
  repoId: string;
  handle: string;
  title: string;
  /** What there is to say of it, under its name. */
  detail: ReactNode;
  children: ReactNode;
}

/** One stream in a list; all of the row leads to it. */
export function StreamRow({ repoId, handle, title, detail, children }: StreamRowProps) {
  return (
    <li className="relative flex flex-wrap items-center gap-x-4 gap-y-1.5 px-4 py-2.5 hover:bg-sunk">
      <div className="min-w-0 flex-1 basis-56">
        <p className="truncate">
          <Link
            to="/repos/$repoId/streams/$stream"
            params={{ repoId, stream: handle }}
            className="font-medium before:absolute before:inset-0 hover:underline"
          >
            {title}
          </Link>
          <span className="ml-2 font-mono text-xs text-soft">{handle}</span>
        </p>
        <p className="truncate text-sm text-soft">{detail}</p>
      </div>
      {children}
    </li>
  );
}
