import type { ButtonHTMLAttributes } from 'react';

const LOOKS = {
  strong: 'bg-strong text-on-strong hover:opacity-90',
  plain: 'border border-line bg-card hover:bg-sunk',
  bad: 'border border-line bg-card text-bad hover:bg-bad-wash',
};

interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  look?: keyof typeof LOOKS;
  /** The server is at it. */
  isBusy?: boolean;
}

export function Button({ look = 'plain', isBusy = false, disabled, children, ...rest }: ButtonProps) {
  return (
    <button
      type="button"
      {...rest}
      disabled={disabled || isBusy}
      aria-busy={isBusy}
      className={`inline-flex min-h-9 items-center justify-center gap-2 rounded-md px-3.5 py-1.5 text-sm font-medium motion-safe:transition disabled:opacity-50 ${LOOKS[look]}`}
    >
      {isBusy ? (
        <span className="size-3 motion-safe:animate-spin rounded-full border-2 border-current border-t-transparent" />
      ) : null}
      {children}
    </button>
  );
}
