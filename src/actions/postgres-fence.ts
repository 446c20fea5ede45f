import { z } from 'zod'
import { durationText } from '../catalog/index.ts'
import { HoldfastError, messageOf, parseDuration } from '../kernel/index.ts'
import { closeDatabases, describeUrl, inspectForClosing, openDoors, reopenDatabases } from '../postgres/index.ts'
import { done, halfDone, notDone, unknown, type ActionContext, type Attempt, type Finding, type Probe } from './contract.ts'
import { defineAction } from './define-action.ts'
import { assertCluster, fenceDirectory, probeDirectory, unfenceDirectory, type DirectoryFence } from './fence/data-directory.ts'
import { outputReference, pathOrOutput, textOrSecret } from './param-types.ts'
import { quote } from './shell.ts'
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
  .refine(({ dataDirectory, url }) => (dataDirectory === undefined) !== (url === undefined), {
    message: "a fence needs one of 'dataDirectory' and 'url'",
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
    'Keeps a PostgreSQL server from taking writes, and confirms that by reading back: no process is left on its data directory, or every database is closed and every session ended. A fence that cannot be confirmed fails, also because the server cannot be reached: it may be alive for others. The undo opens again what it closed.',
  example: { dataDirectory: '/var/lib/postgresql/15/main', systemIdentifier: '7345678901234567890' },
  effect: 'reversible',
  params,

  async preflight(p, context, signal) {
    const directory = directoryFence(p)
    if (directory !== undefined) {
      if (!outputReference.test(directory.dataDirectory)) await assertCluster(withoutReference(directory))
      return []
    }
    if (typeof p.url === 'string' && outputReference.test(p.url)) return []
    return await lookAt(await resolve(p, context, signal), p.systemIdentifier, signal)
  },

  async probe(p, context, { signal, idempotencyKey, previous }) {
    if (previous === 'none') return notDone
    const directory = directoryFence(p)
    if (directory !== undefined) return await probeDirectory(directory, context, idempotencyKey, signal)
    return await probeServer(await resolve(p, context, signal), context, idempotencyKey, signal)
  },

  async run(p, context, { signal, idempotencyKey, timeoutMs }: Attempt) {
    const directory = directoryFence(p, timeoutMs)
    if (directory !== undefined) return await fenceDirectory(directory, context, idempotencyKey, signal)
    const url = await resolve(p, context, signal)
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
    return {
      fenced: true,
      systemIdentifier,
      closed,
      ended,
      confirmedBy: 'every other database refuses connections, and no session is left',
    }
  },

  async undo(p, _output, context, { signal, idempotencyKey }) {
    const directory = directoryFence(p)
    if (directory !== undefined) {
      await unfenceDirectory(directory, context, idempotencyKey, signal)
      return
    }
    const before = await readNote(context, idempotencyKey, note)
    if (before !== undefined) await reopenDatabases(await resolve(p, context, signal), before.closed, signal)
  },

  manual: ({ dataDirectory, mode }) =>
    dataDirectory === undefined
      ? [
          `psql "$DATABASE_URL" -At -c "select format('alter database %I with allow_connections false', datname) from pg_database where datallowconn and datname <> current_database()" | psql "$DATABASE_URL" -v ON_ERROR_STOP=1`,
          `psql "$DATABASE_URL" -c "select pg_terminate_backend(pid) from pg_stat_activity where datid is not null and pid <> pg_backend_pid()"   # again until none is left`,
        ]
      : [
          `pg_ctl -D ${quote(dataDirectory)} -m ${mode} -w stop`,
          `pgrep -a postgres   # expect none of ${quote(dataDirectory)}; then it is fenced`,
        ],
})

function directoryFence(p: Params, timeoutMs?: number): DirectoryFence | undefined {
  if (p.dataDirectory === undefined) return undefined
  const { dataDirectory, systemIdentifier, mode, force } = p
  return {
    dataDirectory,
    systemIdentifier,
    mode,
    force,
    withinMs: withinMs(p, timeoutMs),
    confirmMs: parseDuration(p.confirmFor),
  }
}

/** Before the plan begins, an identifier that an earlier step will give is not known. */
function withoutReference(fence: DirectoryFence): DirectoryFence {
  return outputReference.test(fence.systemIdentifier ?? '') ? { ...fence, systemIdentifier: undefined } : fence
}

function withinMs({ within }: Params, timeoutMs = Number.POSITIVE_INFINITY): number {
  return Math.min(parseDuration(within), timeoutMs / 2)
}

async function resolve({ url = '' }: Params, context: ActionContext, signal: AbortSignal): Promise<string> {
  return typeof url === 'string' ? url : (await context.resolveSecret(url, signal)).reveal()
}

/** The right server, reached through a database that may stay open. */
async function lookAt(url: string, expected: string | undefined, signal: AbortSignal): Promise<Finding[]> {
  const { systemIdentifier, database, tables, superuser } = await inspectForClosing(url, signal)
  const findings: Finding[] = []
  if (expected !== undefined && !outputReference.test(expected) && expected !== systemIdentifier) {
    const message = `${describeUrl(url)} is of the cluster ${systemIdentifier}, and ${expected} is to be fenced`
    findings.push({ severity: 'blocker', code: 'identity-mismatch', message })
  }
  if (tables > 0) {
    const message = `the database ${database} at ${describeUrl(url)} holds ${tables} tables, and would stay open: it cannot be fenced from there`
    findings.push({
      severity: 'blocker',
      code: 'fence-from-used-database',
      message,
      hint: 'name a database without tables in the URL',
    })
  }
  if (!superuser) {
    const message = `the user at ${describeUrl(url)} is no superuser, and may not close all databases or end all sessions`
    findings.push({ severity: 'warning', code: 'not-superuser', message })
  }
  return findings
}

async function probeServer(url: string, context: ActionContext, key: string, signal: AbortSignal): Promise<Probe> {
  const before = await readNote(context, key, note)
  if (before === undefined) return notDone
  try {
    const doors = await openDoors(url, signal)
    return doors.length === 0 ? done({ fenced: true, closed: before.closed }) : halfDone
  } catch (error) {
    signal.throwIfAborted()
    return unknown(`whether it is fenced cannot be seen: ${messageOf(error)}`)
  }
}
