import { z } from 'zod'
import { HoldfastError } from '../kernel/index.ts'
import { finishRecovery, inspectServer, preparedRecovery, promoteServer } from '../postgres/index.ts'
import { done, notDone, unknown } from './contract.ts'
import { defineAction } from './define-action.ts'
import { serveWal } from './postgres-start.ts'
import { reachOfFolder } from './reach.ts'
import { assertIdentity, serverOn, serverParams } from './restored/server-of.ts'

const params = z.strictObject(serverParams)

/** Makes a recovered server writable, on a timeline of its own. The point of no return of most recoveries. */
export const postgresPromote = defineAction<z.infer<typeof params>>({
  kind: 'postgres.promote',
  description:
    'Makes a recovered PostgreSQL server writable, on a timeline of its own. From here on a run only goes forward. Outputs: `url`, `timeline`, `lsn`, `systemIdentifier`.',
  example: { dataDirectory: '${steps.restore.dataDirectory}' },
  effect: 'point-of-no-return',
  params,

  async probe(p, context, { signal }) {
    const server = await serverOn(p, context)
    if ((await server.running()) === undefined) {
      // With its settings still there it was not told to; without them it was, and nobody can ask it what it wrote.
      return (await preparedRecovery(p.dataDirectory)) === undefined
        ? unknown(`no server is running on ${p.dataDirectory}`)
        : notDone
    }
    const facts = await inspectServer(server.url, signal)
    const isFinished = !facts.inRecovery && (await preparedRecovery(p.dataDirectory)) === undefined
    return isFinished ? done({ url: server.url, timeline: facts.timeline, systemIdentifier: facts.systemIdentifier }) : notDone
  },

  async run(p, context, { signal }) {
    const server = await serverOn(p, context)
    if ((await server.running()) === undefined) {
      throw new HoldfastError('postgres-unreachable', {
        message: `no server is running on ${p.dataDirectory}`,
        hint: 'start it again: the step postgres.start comes before this one',
      })
    }
    const { systemIdentifier } = await assertIdentity(server, signal)
    await using serving = await serveWal(p.dataDirectory, context, signal)
    context.progress({ step: context.step, text: `promoting${serving === undefined ? '' : `, WAL from ${serving.location}`}` })
    const { timeline, lsn } = await promoteServer(server.url, { clock: context.clock }, signal)
    await finishRecovery(p.dataDirectory)
    return { url: server.url, systemIdentifier, timeline, lsn }
  },

  reach: ({ dataDirectory }, sandbox) => reachOfFolder(dataDirectory, sandbox),

  manual: ({ user = 'postgres' }) => [`psql -U ${user} -c 'select pg_promote(wait => true)'`],
})
