import { HoldfastError, messageOf, systemCode } from '../../kernel/index.ts'
import { describeUrl } from './location.ts'

/** What an ErrorResponse of the server says (PostgreSQL documentation, "Error and Notice Message Fields"). */
export interface ServerError {
  readonly severity?: string | undefined
  /** SQLSTATE: five characters. */
  readonly code?: string | undefined
  readonly message: string
  readonly detail?: string | undefined
  readonly hint?: string | undefined
}

/** The SQLSTATE of an error that a server sent, in the raw or in our own form. */
export function sqlState(error: unknown): string | undefined {
  if (error instanceof HoldfastError) return typeof error.details.sqlState === 'string' ? error.details.sqlState : undefined
  const code = systemCode(error)
  return code !== undefined && /^[0-9A-Z]{5}$/.test(code) ? code : undefined
}

/**
 * The error to throw for whatever a connection attempt or a command failed with. Passwords never enter it: servers do not repeat them, and
 * the URL is described without one.
 */
export function postgresError(error: unknown, url: string): HoldfastError {
  if (error instanceof HoldfastError) return error
  const location = describeUrl(url)
  const state = sqlState(error)
  if (state !== undefined && error instanceof Error) return serverError({ ...fields(error), code: state }, location, error)
  if (error instanceof Error && /^SASL: .*client password must be/.test(error.message)) {
    // The driver's own complaint, before anything is sent: trying again would not help.
    return new HoldfastError('permission-denied', {
      message: `the server asks for a password, and none is given (at ${location})`,
      hint: 'put it into the URL, and the URL into a secret: { env: NAME }, { file: PATH } or { command: [PROGRAM, ARGUMENT] }; or use .pgpass',
      cause: error,
      details: { location },
    })
  }
  const cause = error instanceof AggregateError && error.errors.length > 0 ? error.errors[0] : error
  return new HoldfastError('postgres-unreachable', {
    message: `cannot reach PostgreSQL at ${location}: ${messageOf(cause)}`,
    hint: 'check that the server runs, and the host, the port and the firewall',
    cause,
    retryable: true,
    details: { location },
  })
}

function fields(error: Error): ServerError {
  const text = (name: string): string | undefined => {
    const value: unknown = Reflect.get(error, name)
    return typeof value === 'string' ? value : undefined
  }
  return { severity: text('severity'), message: error.message, detail: text('detail'), hint: text('hint') }
}

/** One server error as ours. The SQLSTATE stays in `details.sqlState`. */
export function serverError(error: ServerError, location: string, cause?: unknown): HoldfastError {
  const { code: state = 'XX000', message } = error
  const details = { sqlState: state, location, ...(error.detail === undefined ? {} : { detail: error.detail }) }
  const at = `${message} (at ${location})`
  if (state === '28P01') {
    return new HoldfastError('permission-denied', {
      message: at,
      hint: 'check the password that the URL or its secret gives for this user',
      cause,
      details,
    })
  }
  if (state.startsWith('28') && message.includes('pg_hba.conf')) {
    const replication = message.includes('replication')
    return new HoldfastError('postgres-setting', {
      message: at,
      hint: `add a line to pg_hba.conf that lets this user in, such as \`host ${replication ? 'replication' : 'all'} USER ADDRESS/32 scram-sha-256\`, then run \`select pg_reload_conf()\``,
      cause,
      details: { ...details, setting: 'pg_hba.conf' },
    })
  }
  if (state === '42501' && /replication|walsender|WAL sender/i.test(`${message} ${error.detail ?? ''}`)) {
    return new HoldfastError('postgres-setting', {
      message: at,
      hint: 'give the user the privilege: `ALTER ROLE "USER" REPLICATION`',
      cause,
      details: { ...details, setting: 'REPLICATION' },
    })
  }
  if (state === '53300') {
    const setting = message.includes('max_wal_senders') ? 'max_wal_senders' : 'max_connections'
    return new HoldfastError('postgres-setting', {
      message: at,
      hint: `raise ${setting} (\`ALTER SYSTEM SET ${setting} = …\`, then restart the server), or close other connections`,
      cause,
      retryable: true,
      details: { ...details, setting },
    })
  }
  if (state.startsWith('28') || state === '42501') {
    return new HoldfastError('permission-denied', { message: at, ...hinted(error.hint), cause, details })
  }
  // 57P01 shutdown by an administrator, 57P02 crash of another backend, 57P03 starting up or stopping.
  const passing = state.startsWith('57P') || state.startsWith('08')
  return new HoldfastError(passing ? 'postgres-unreachable' : 'postgres-failed', {
    message: error.detail === undefined ? at : `${message}: ${error.detail} (at ${location})`,
    ...hinted(error.hint),
    cause,
    retryable: passing,
    details,
  })
}

function hinted(hint: string | undefined): { hint?: string } {
  return hint === undefined ? {} : { hint }
}
