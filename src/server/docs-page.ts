import type { Endpoint } from '../contract/endpoint.ts';
import { PREFIX } from './face.ts';

/** A page that shows every route; it loads the schemas from the document beside it. No code from elsewhere. */
export function docsPage(endpoints: readonly Endpoint[]): string {
  const nouns = [...new Set(endpoints.map((endpoint) => endpoint.name.split('.')[0] ?? ''))].sort();
  const sections = nouns.map((noun) => {
    const own = endpoints.filter((endpoint) => endpoint.name.startsWith(`${noun}.`));
    return `<section><h2>${noun}</h2>${own.map(entry).join('')}</section>`;
  });
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>GitSwarm API</title>
<meta name="viewport" content="width=device-width"><style>${STYLE}</style></head><body>
<h1>GitSwarm API</h1><p>All addresses begin with <code>${PREFIX}</code> and take
<code>Authorization: Bearer gsw_…</code>. The whole description: <a href="openapi.json">openapi.json</a>.</p>
<input type="search" placeholder="Search routes" aria-label="Search routes">${sections.join('')}
<script>${SCRIPT}</script></body></html>`;
}

/** What the browser may do with the page: its own style and script by their hashes, and reading the document. */
export const inlineParts = () => ({ style: STYLE, script: SCRIPT });

function entry(endpoint: Endpoint): string {
  return `<details data-path="${endpoint.path.replace(/:(\w+)/g, '{$1}')}" data-method="${endpoint.method.toLowerCase()}">
<summary><b class="${endpoint.method}">${endpoint.method}</b> <code>${endpoint.path}</code> <span>${endpoint.name}</span></summary><pre></pre></details>`;
}

const STYLE = `:root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
h2{margin:2rem 0 .5rem;text-transform:capitalize}details{border:1px solid #8884;border-radius:.5rem;margin:.25rem 0;padding:.25rem .75rem}
summary{cursor:pointer}summary b{display:inline-block;min-width:4.5rem}summary span{float:right;opacity:.6}
.GET{color:#2a7}.POST{color:#27c}.PUT,.PATCH{color:#b70}.DELETE{color:#c33}pre{overflow:auto;font-size:.85rem}
input{width:100%;padding:.5rem;font:inherit;box-sizing:border-box}`;

const SCRIPT = `const all=[...document.querySelectorAll('details')];let doc;
document.querySelector('input').addEventListener('input',e=>{const q=e.target.value.toLowerCase();
for(const d of all)d.hidden=!d.textContent.toLowerCase().includes(q);
for(const s of document.querySelectorAll('section'))s.hidden=![...s.querySelectorAll('details')].some(d=>!d.hidden)});
for(const d of all)d.addEventListener('toggle',async()=>{if(!d.open)return;doc??=await(await fetch('openapi.json')).json();
d.querySelector('pre').textContent=JSON.stringify(doc.paths[d.dataset.path][d.dataset.method],null,2)});`;
