import { HoldfastError } from '../../kernel/index.ts'
import { askRuntime, type RuntimeApi } from './runtime.ts'

export type AdminState = 'ready' | 'drain' | 'maint'

export interface ServerState {
  /** What it was told to be. */
  readonly told: AdminState
  readonly address: string
  readonly port: number
  /** Whether traffic would go to it, and rightly so: it runs, nothing keeps it out, and where it has health checks, they have passed since. */
  readonly isUp: boolean
  /** For people: UP, DOWN, MAINT, DRAIN, with what the last health check said. */
  readonly status: string
  /** Sessions that go on, and those that wait for it. */
  readonly sessions: number
}

// `show servers state`, management.txt 9.3: bits of srv_admin_state and values of srv_op_state.
const forcedMaintenance = 0x01
const forcedDrain = 0x08
const keptOutByOthers = 0x02 | 0x10 | 0x20 | 0x40
const starting = 1
const running = 2

/** For how long a server that a single failed check would take out must have been up: no figure tells whether it has been checked yet. */
const provenSeconds = 5

/** Reads a server's state. Throws `not-found` when there is no such backend or server. */
export async function readServer(api: RuntimeApi, backend: string, server: string, signal: AbortSignal): Promise<ServerState> {
  const row = rowsOf(await askRuntime(api, `show servers state ${backend}`, signal), backend).find(
    (one) => one.srv_name === server,
  )
  if (row === undefined) {
    throw new HoldfastError('not-found', {
      message: `the backend ${backend} of HAProxy has no server ${server}`,
      hint: `\`show servers state ${backend}\` lists them`,
    })
  }
  const statistics = statisticsOf(
    await askRuntime(api, `show stat ${numberIn(row, 'be_id')} 4 ${numberIn(row, 'srv_id')}`, signal),
  )
  const bits = numberIn(row, 'srv_admin_state')
  const operation = numberIn(row, 'srv_op_state')
  return {
    told: (bits & forcedMaintenance) !== 0 ? 'maint' : (bits & forcedDrain) !== 0 ? 'drain' : 'ready',
    address: row.srv_addr ?? '-',
    port: numberIn(row, 'srv_port'),
    isUp:
      (operation === running || operation === starting) &&
      (bits & (forcedMaintenance | forcedDrain | keptOutByOthers)) === 0 &&
      isProven(statistics),
    status: [statistics.status, statistics.check_status, statistics.last_chk]
      .filter((part) => part !== undefined && part !== '')
      .join(' '),
    sessions: numberIn(statistics, 'scur') + numberIn(statistics, 'qcur'),
  }
}

/**
 * Out of maintenance a server counts as up before it is checked, at the health from which one failure takes it down; the first check that
 * passes gives it its full health, which is rise + fall - 1.
 */
function isProven(statistics: Row): boolean {
  if (statistics.check_health === undefined || statistics.check_health === '') return true
  const fall = numberIn(statistics, 'check_fall')
  if (numberIn(statistics, 'check_health') < numberIn(statistics, 'check_rise') + fall - 1) return false
  return fall > 1 || numberIn(statistics, 'lastchg') >= provenSeconds
}

type Row = Readonly<Partial<Record<string, string>>>

function rowsOf(answer: string, backend: string): Row[] {
  const [version, header, ...lines] = answer.split('\n')
  if (version !== '1' || header?.startsWith('# ') !== true) {
    throw new HoldfastError(answer.startsWith("Can't find backend") ? 'not-found' : 'command-failed', {
      message: `HAProxy answered 'show servers state ${backend}' with: ${version}`,
      hint: '`show servers state` lists the backends and their servers',
    })
  }
  const names = header.slice(2).split(' ')
  return lines.map((line) => rowOf(names, line.split(' ')))
}

/** One line of CSV below a header; none of the columns before those that we read is quoted. */
function statisticsOf(answer: string): Row {
  const [header, line] = answer.split('\n')
  if (header?.startsWith('# ') !== true || line === undefined) {
    throw new HoldfastError('command-failed', { message: `HAProxy answered 'show stat' with: ${header}` })
  }
  return rowOf(header.slice(2).split(','), line.split(','))
}

function rowOf(names: readonly string[], values: readonly string[]): Row {
  return Object.fromEntries(names.map((name, column) => [name, values[column] ?? '']))
}

function numberIn(row: Row, name: string): number {
  const value = row[name]
  if (value !== undefined && /^\d+$/.test(value)) return Number(value)
  throw new HoldfastError('command-failed', {
    message: `HAProxy's answer has ${value === undefined ? 'no' : `${value} as`} ${name}`,
    hint: 'Holdfast knows the formats of HAProxy 2.0 and later',
  })
}
