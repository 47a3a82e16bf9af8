/** Everything of a paged list, asked for page by page. */
export async function allPages<T>(
  page: (cursor: string | undefined) => Promise<{ items: T[]; nextCursor: string | null }>,
): Promise<T[]> {
  const items: T[] = [];
  let cursor: string | undefined;
  for (;;) {
    const found = await page(cursor);
    items.push(...found.items);
    if (found.nextCursor === null) return items;
    cursor = found.nextCursor;
  }
}
