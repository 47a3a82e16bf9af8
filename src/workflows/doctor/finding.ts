/** One thing that doctor looked at. */
export interface Finding {
  check: string;
  level: 'ok' | 'note' | 'problem';
  text: string;
  /** What to do by hand, where doctor cannot mend it itself. */
  fix?: string;
  /** Mends it; answers what was done. */
  mend?: () => Promise<string>;
}
