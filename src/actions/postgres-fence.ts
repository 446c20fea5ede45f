import { z } from 'zod'
import { durationText } from '../catalog/index.ts'
import { blocker, HoldfastError, messageOf, parseDuration, quote } from '../kernel/index.ts'
import { closeDatabases, describeUrl, inspectForClosing, openDoors, reopenDatabases, withDatabase } from '../postgres/index.ts'
import { done, halfDone, notDone, unknown, type ActionContext, type Attempt, type Finding, type Probe } from './contract.ts'
import { defineAction } from './define-action.ts'
import { assertCluster, fenceDirectory, probeDirectory, unfenceDirectory, type DirectoryFence } from './fence/data-directory.ts'
import { outputReference, pathOrOutput, textOrSecret } from './param-types.ts'
import { serverOn } from './restored/server-of.ts'
import { declared, urlAsWord } from './servers/manual-server.ts'
import { localServer, namedServerParams, resolveServer } from './servers/named-server.ts'
import { readNote, writeNote } from './step-notes.ts'

const params = z
  .strictObject({
    dataDirectory: pathOrOutput
      .describe('Of a server on this machine: it is stopped, and no process may be left on it.')
      .optional(),
    url: textOrSecret
      .describe(
        'Of a server that is reached by SQL, as a superuser, with the name of a database that holds no tables: every other database is closed to connections, and every session ended. (default_transaction_read_only would be no fence: any session may set it off again.)',
      )
      .optional(),
    ...namedServerParams,
    systemIdentifier: z
      .string()
      .regex(/^(?:\d+|\$\{steps\..*)$/)
      .describe('The cluster that is meant; any other is refused. `select system_identifier from pg_control_system()`.')
      .optional(),
    mode: z
      .enum(['fast', 'immediate'])
      .describe('How a server here is stopped: fast makes a checkpoint, immediate does without.')
      .default('fast'),
    force: z.boolean().describe('Ends a server here with SIGKILL when it does not stop.').default(false),
    within: durationText.describe('For how long it may take to stop; at most half of the step’s time.').default('30s'),
    confirmFor: durationText
      .describe('For how long it must stay away. What starts it again (systemd, runit) must be told to stop first.')
      .default('2s'),
  })
  .refine(({ dataDirectory, url, server }) => [dataDirectory, url, server].filter((one) => one !== undefined).length === 1, {
    message: "a fence needs one of 'server', 'dataDirectory' and 'url'",
  })

type Params = z.infer<typeof params>

const note = z.strictObject({ closed: z.array(z.string()) })

/**
 * Keeps a server from taking writes, and confirms that by reading back: told to stop is not stopped. Unconfirmed, it fails. A server that
 * cannot be reached is not fenced either: it may be alive for others.
 */
export const postgresFence = defineAction<Params>({
  kind: 'postgres.fence',
  description:
    'Keeps a PostgreSQL server from taking writes, and confirms that by reading back: no process is left on its data directory, or every database is closed and every session ended. A `server` of the catalog is stopped where its data directory is on this machine, and closed by SQL elsewhere. A fence that cannot be confirmed fails, also because the server cannot be reached: it may be alive for others. The undo opens again what it closed.',
  example: { dataDirectory: '/var/lib/postgresql/15/main', systemIdentifier: '7345678901234567890' },
  effect: 'reversible',
  params,

  async preflight(p, context, signal) {
    const aim = await aimOf(p, context, signal)
    if (aim.kind === 'directory') {
      const { directory } = aim
      if (!outputReference.test(directory.dataDirectory)) await assertCluster(withoutReference(directory))
      return []
    }
    if (outputReference.test(aim.url)) return []
    return await lookAt(aim.url, p.systemIdentifier, signal)
  },

  async probe(p, context, { signal, idempotencyKey, previous }) {
    if (previous === 'none') return notDone
    const aim = await aimOf(p, context, signal)
    if (aim.kind === 'directory') return await probeDirectory(aim.directory, context, idempotencyKey, signal)
    return await probeServer(aim.url, context, idempotencyKey, signal)
  },

  async run(p, context, { signal, idempotencyKey, timeoutMs }: Attempt) {
    const aim = await aimOf(p, context, signal, timeoutMs)
    if (aim.kind === 'directory') return await fenceDirectory(aim.directory, context, idempotencyKey, signal)
    const { url } = aim
    const problem = (await lookAt(url, p.systemIdentifier, signal)).find(({ severity }) => severity === 'blocker')
    if (problem !== undefined) throw new HoldfastError('identity-mismatch', { message: problem.message })
    const remember = async (closing: readonly string[]) => {
      // What an earlier attempt closed is closed already, and still ours to open.
      const closed = (await readNote(context, idempotencyKey, note))?.closed ?? []
      await writeNote(context, idempotencyKey, { closed: [...new Set([...closed, ...closing])] })
    }
    const { systemIdentifier, ended } = await closeDatabases(url, withinMs(p, timeoutMs), remember, signal)
    await context.clock.sleep(parseDuration(p.confirmFor), signal)
    const doors = await openDoors(url, signal)
    if (doors.length > 0) {
      throw new HoldfastError('fence-unconfirmed', {
        message: `${describeUrl(url)} can still be written to: ${doors.join('; ')}`,
        hint: 'find what opens it again, or stop the server itself, before another one takes writes',
        details: { doors: [...doors] },
      })
    }
    const closed = (await readNote(context, idempotencyKey, note))?.closed ?? []
    return { ...closedFence(systemIdentifier, closed), ended }
  },

  async undo(p, _output, context, { signal, idempotencyKey }) {
    const aim = await aimOf(p, context, signal)
    if (aim.kind === 'directory') {
      await unfenceDirectory(aim.directory, context, idempotencyKey, signal)
      return
    }
    const before = await readNote(context, idempotencyKey, note)
    if (before !== undefined) await reopenDatabases(aim.url, before.closed, signal)
  },

  manual(p, catalog) {
    const dataDirectory = p.dataDirectory ?? declared(p, catalog)?.place.dataDirectory
    if (dataDirectory !== undefined) {
      return [
        `pg_ctl -D ${quote(dataDirectory)} -m ${p.mode} -w stop`,
        `pgrep -a postgres   # expect none of ${quote(dataDirectory)}; then it is fenced`,
      ]
    }
    const url = p.server === undefined ? '"$DATABASE_URL"' : urlAsWord(declared(p, catalog)?.place.url, p.server, catalog)
    return [
      `psql ${url} -At -c "select format('alter database %I with allow_connections false', datname) from pg_database where datallowconn and datname <> current_database()" | psql ${url} -v ON_ERROR_STOP=1`,
      `psql ${url} -c "select pg_terminate_backend(pid) from pg_stat_activity where datid is not null and pid <> pg_backend_pid()"   # again until none is left`,
    ]
  },

  manualUndo(p, catalog) {
    const dataDirectory = p.dataDirectory ?? declared(p, catalog)?.place.dataDirectory
    if (dataDirectory !== undefined)
      return [`pg_ctl -D ${quote(dataDirectory)} -w start   # only while no other server has taken over`]
    const url = p.server === undefined ? '"$DATABASE_URL"' : urlAsWord(declared(p, catalog)?.place.url, p.server, catalog)
    return [
      `psql ${url} -At -c "select format('alter database %I with allow_connections true', datname) from pg_database where not datallowconn and datname <> 'template0'" | psql ${url} -v ON_ERROR_STOP=1   # only while no other server has taken over`,
    ]
  },
})

type Aim = { readonly kind: 'directory'; readonly directory: DirectoryFence } | { readonly kind: 'url'; readonly url: string }

/** By its data directory where that is here, else by SQL. */
async function aimOf(p: Params, context: ActionContext, signal: AbortSignal, timeoutMs?: number): Promise<Aim> {
  const { systemIdentifier, mode, force, url } = p
  const limits = { systemIdentifier, mode, force, withinMs: withinMs(p, timeoutMs), confirmMs: parseDuration(p.confirmFor) }
  const { dataDirectory } = p
  if (dataDirectory !== undefined) {
    const open: DirectoryFence['open'] = async (settings) =>
      await serverOn({ dataDirectory, ...(settings === undefined ? {} : { listen: 'configured', settings }) }, context)
    return { kind: 'directory', directory: { dataDirectory, ...limits, open } }
  }
  if (p.server !== undefined) {
    const named = await resolveServer(context, { server: p.server, service: p.service }, signal)
    if (named.dataDirectory === undefined) return { kind: 'url', url: withDatabase(named.url, 'postgres') }
    const open: DirectoryFence['open'] = async (settings) => await localServer(named, settings)
    return { kind: 'directory', directory: { dataDirectory: named.dataDirectory, ...limits, open } }
  }
  if (typeof url === 'string') return { kind: 'url', url }
  return { kind: 'url', url: url === undefined ? '' : (await context.resolveSecret(url, signal)).reveal() }
}

/** Before the plan begins, an identifier that an earlier step will give is not known. */
function withoutReference(fence: DirectoryFence): DirectoryFence {
  return outputReference.test(fence.systemIdentifier ?? '') ? { ...fence, systemIdentifier: undefined } : fence
}

function withinMs({ within }: Params, timeoutMs = Number.POSITIVE_INFINITY): number {
  return Math.min(parseDuration(within), timeoutMs / 2)
}

/** The right server, reached through a database that may stay open. */
async function lookAt(url: string, expected: string | undefined, signal: AbortSignal): Promise<Finding[]> {
  const { systemIdentifier, database, tables, superuser } = await inspectForClosing(url, signal)
  const findings: Finding[] = []
  if (expected !== undefined && !outputReference.test(expected) && expected !== systemIdentifier) {
    const message = `${describeUrl(url)} is of the cluster ${systemIdentifier}, and ${expected} is to be fenced`
    findings.push(blocker('identity-mismatch', message))
  }
  if (tables > 0) {
    const message = `the database ${database} at ${describeUrl(url)} holds ${tables} tables, and would stay open: it cannot be fenced from there`
    findings.push(blocker('fence-from-used-database', message, 'name a database without tables in the URL'))
  }
  if (!superuser) {
    const message = `the user at ${describeUrl(url)} is no superuser, and may not close all databases or end all sessions`
    findings.push({ severity: 'warning', code: 'not-superuser', message })
  }
  return findings
}

/** By the system identifier a promotion knows that this fence is of its cluster, and opens these databases on the new primary. */
function closedFence(systemIdentifier: string, closed: readonly string[]) {
  return {
    fenced: true,
    systemIdentifier,
    closed: [...closed],
    confirmedBy: 'every other database refuses connections, and no session is left',
  }
}

async function probeServer(url: string, context: ActionContext, key: string, signal: AbortSignal): Promise<Probe> {
  const before = await readNote(context, key, note)
  if (before === undefined) return notDone
  try {
    const { systemIdentifier } = await inspectForClosing(url, signal)
    const doors = await openDoors(url, signal)
    return doors.length === 0 ? done(closedFence(systemIdentifier, before.closed)) : halfDone
  } catch (error) {
    signal.throwIfAborted()
    return unknown(`whether it is fenced cannot be seen: ${messageOf(error)}`)
  }
}
