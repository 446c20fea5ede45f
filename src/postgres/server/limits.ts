import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { HoldfastError, runProcess } from '../../kernel/index.ts'
import { cleanEnvironment } from './environment.ts'
import type { Settings } from './initialize.ts'

/** Settings of which hot standby refuses to start with less than the primary had, by their names in pg_controldata's output. */
const limits: Readonly<Record<string, string>> = {
  'max_connections setting': 'max_connections',
  'max_worker_processes setting': 'max_worker_processes',
  'max_wal_senders setting': 'max_wal_senders',
  'max_prepared_xacts setting': 'max_prepared_transactions',
  'max_locks_per_xact setting': 'max_locks_per_transaction',
}

/**
 * The limits that the source of a data directory ran with, from its pg_control: for a start without the source's configuration. Empty
 * where pg_controldata is not installed (npm's binaries); the server then says itself what it misses.
 */
export async function limitsOfSource(dataDir: string, binDir: string): Promise<Settings> {
  const program = join(binDir, 'pg_controldata')
  if (!existsSync(program)) return {}
  const done = await runProcess(program, [dataDir], { cwd: '/', env: { ...cleanEnvironment(), LC_ALL: 'C' } })
  if (done.exitCode !== 0) {
    throw new HoldfastError('postgres-failed', { message: `pg_controldata cannot read ${dataDir}: ${done.stderr.trim()}` })
  }
  const settings: Record<string, string> = {}
  for (const line of done.stdout.split('\n')) {
    const [label = '', value = ''] = line.split(/:\s+/)
    const name = limits[label]
    if (name !== undefined) settings[name] = value.trim()
  }
  return settings
}
