/** Whether lines and marks beyond ASCII may be drawn: not where the locale says otherwise, nor on a terminal that cannot. */
export function drawsBoxes(env: NodeJS.ProcessEnv = process.env): boolean {
  if (env.TERM === 'dumb') return false
  const locale = [env.LC_ALL, env.LC_CTYPE, env.LANG].find((value) => value !== undefined && value !== '')
  return locale === undefined || /utf-?8/i.test(locale)
}

/** For what is printed once: the terminal's width, or what fits a page where there is none. */
export function pageColumns(
  { columns }: { readonly columns?: number } = process.stdout,
  env: NodeJS.ProcessEnv = process.env,
): number {
  const declared = Number(env.COLUMNS)
  return Math.max(20, columns ?? (declared > 0 ? declared : 100))
}
