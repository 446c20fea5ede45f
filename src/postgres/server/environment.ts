/** Our environment without what would change a server's or initdb's mind: PGDATA, PGPORT, PGOPTIONS and their like, and secrets of ours. */
export function cleanEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(PG|HOLDFAST_)/.test(name)))
}
