/**
 * A name's form in folders and mail addresses: lower-case letters, digits and dashes, at most 40 characters. Names
 * without any such character (other scripts) fall back to `agent`; the caller makes slugs unique by adding a number.
 */
export function slugOf(name: string): string {
  const slug = name
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 40)
    .replace(/-+$/, '');
  return slug || 'agent';
}
