import type { CustomTypesConfig } from 'pg';

const BOOL = 16;
const INT8 = 20;
const NUMERIC = 1700;

/** Results as SQLite gives them: sums and counts as numbers, truth as 1 or 0. */
export function numbersAsNumbers(usual: CustomTypesConfig): CustomTypesConfig {
  const getTypeParser: CustomTypesConfig['getTypeParser'] = (id, format) => {
    if (id === INT8 || id === NUMERIC) return Number;
    if (id === BOOL) return (text: string) => (text === 't' ? 1 : 0);
    return usual.getTypeParser(id, format);
  };
  return { getTypeParser };
}
