import picomatch from 'picomatch';
import { globsOf } from './code-owners.ts';

const MOST_LINES = 5000;

/**
 * Which paths are merged by a driver of the repository (`package-lock.json merge=npm`), by the text of its
 * .gitattributes: two streams that touch such a file need not wait for each other. Later lines win.
 */
export function mergeDriven(text: string): (path: string) => boolean {
  const rules: { matches: (path: string) => boolean; isDriven: boolean }[] = [];
  for (const line of text.split('\n').slice(0, MOST_LINES)) {
    const [pattern, ...attributes] = line.trim().split(/\s+/);
    const said = attributes.findLast((each) => /^[-!]?merge(=|$)|^binary$/.test(each));
    if (!pattern || pattern.length > 1000 || /^[#"!]|^\[attr\]/.test(pattern) || said === undefined) continue;
    const driver = said.startsWith('merge=') ? said.slice('merge='.length) : '';
    const matches = picomatch(globsOf(pattern), { dot: true, nonegate: true });
    rules.push({ matches, isDriven: driver !== '' && driver !== 'text' && driver !== 'binary' });
  }
  return (path) => rules.findLast((rule) => rule.matches(path))?.isDriven ?? false;
}
