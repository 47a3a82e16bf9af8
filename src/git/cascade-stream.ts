/** A stream below the one that moves, as the cascade sees it. */
export interface CascadeStream {
  id: string;
  ref: string;
  head: string;
  parentId: string;
  /** The head of the parent this stream is built on. */
  base: string;
  /** Further parents, whose new heads are merged in. */
  otherParents?: readonly { id: string; base: string }[];
}
