/** An address, or words of git, without the names and passwords that stand in addresses. */
export function withoutPassword(words: string): string {
  return words.replaceAll(/([a-z][a-z0-9+.-]*:\/\/)[^/@\s]*@/gi, '$1');
}
