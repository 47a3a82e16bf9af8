import { PREFIX } from './face.ts';

/** Other addresses under which documents and older clients know our routes, and the ones they mean. */
const PATHS: [from: RegExp, to: string][] = [
  [/^\/repos\/([^/]+)\/council\/proposals\/([^/]+)\/votes$/, '/proposals/$2/vote'],
  [/^\/proposals\/([^/]+)\/votes$/, '/proposals/$1/vote'],
  [/^\/repos\/([^/]+)\/stage$/, '/repos/$1/stage/advance'],
  [/^\/tasks\/([^/]+)\/submit$/, '/claims/$1/submit'],
];

/**
 * The canonical address of a request. `/api/…`, `/gitswarm/…` and `/api/v1/gitswarm/…` are the same as `/api/v1/…`.
 */
export function canonicalUrl(method: string, url: string): string {
  const [path = '', query] = splitOnce(url);
  const inner = innerPath(path);
  if (inner === undefined) return url;
  const found = PATHS.find(([from, to]) => from.test(inner) && applies(method, to));
  const canonical = found ? inner.replace(found[0], found[1]) : inner;
  return `${PREFIX}${canonical}${query === undefined ? '' : `?${query}`}`;
}

/** Reading the stage keeps its address; only writing it means to advance. */
function applies(method: string, to: string): boolean {
  return !to.endsWith('/stage/advance') || method === 'POST' || method === 'PUT';
}

function innerPath(path: string): string | undefined {
  if (/^\/(api\/)?webhooks\//.test(path)) return path.replace(/^\/api/, '');
  if (/^\/api\/(docs|openapi\.json)$/.test(path)) return path.slice('/api'.length);
  const match = /^(?:\/api\/v1\/gitswarm|\/api\/v1|\/api\/gitswarm|\/api|\/gitswarm)(\/.*)$/.exec(path);
  return match?.[1];
}

function splitOnce(url: string): [string, string | undefined] {
  const at = url.indexOf('?');
  return at < 0 ? [url, undefined] : [url.slice(0, at), url.slice(at + 1)];
}
