/** Reading of the raw words, before anything is parsed. */

/** What must be known before the command line is parsed: how to tell of an error in it. */
export function quickFlags(argv: string[]): {
  json: boolean;
  quiet: boolean;
  noColor: boolean;
  trace: boolean;
} {
  const before = argv.includes('--') ? argv.slice(0, argv.indexOf('--')) : argv;
  return {
    json: before.includes('--json'),
    quiet: before.includes('--quiet'),
    noColor: before.includes('--no-color'),
    trace: before.includes('--trace'),
  };
}

/** The first word that is neither a flag nor the value of a global one. */
export function firstWord(argv: string[]): string | undefined {
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i] ?? '';
    if (word === '--as' || word === '-C') i++;
    else if (!word.startsWith('-')) return word;
  }
  return undefined;
}
