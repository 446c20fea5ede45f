import { z } from 'zod'
import { sizeText, text } from '../catalog/index.ts'
import { HoldfastError, tryParseSize } from '../kernel/index.ts'
import { describeLag, formatLsn, replicationLag, replicationState } from '../postgres/index.ts'
import { defineAction } from './define-action.ts'
import { leaderFor } from './servers/leader.ts'
import { psqlTo } from './servers/manual-server.ts'
import { describeServer, namedServerParams, resolveServer } from './servers/named-server.ts'

const params = z.strictObject({
  server: text.describe('A standby, by its name in the catalog.'),
  service: namedServerParams.service,
  source: text.describe('The server that it must stream from. Default: the only other one that is a primary.').optional(),
  maxLag: sizeText.describe('How much of the source’s WAL it may not have replayed yet.').default('1MiB'),
})

/** Looks whether a standby follows, and how closely. */
export const replicationCheck = defineAction<z.infer<typeof params>>({
  kind: 'replication.check',
  description:
    'Looks whether a standby streams from the server that leads, on its timeline, with its replay running, and has replayed all but `maxLag` bytes of its WAL. As the `check` of a step it waits until a standby has caught up. Outputs: `timeline`, `replayedLsn`, `sourceLsn`, `lagBytes`.',
  example: { server: 'west', maxLag: '1MiB' },
  effect: 'read-only',
  params,

  async run(p, context, { signal }) {
    const standby = await resolveServer(context, p, signal)
    const { server, state: leader } = await leaderFor(context, p, p.source, signal)
    const state = await replicationState(standby.url, signal)
    const fail = (message: string) => {
      throw new HoldfastError('replica-behind', {
        message: `${describeServer(standby)} ${message}`,
        hint: '`holdfast postgres status` shows every server',
        retryable: true,
      })
    }
    if (!state.inRecovery) fail('is a primary')
    if (state.systemIdentifier !== leader.systemIdentifier) fail(`is of another cluster than ${server.name}`)
    if (state.replay !== 'running') fail('does not replay: it is paused')
    if (state.receiver?.status !== 'streaming') fail(`does not stream from ${server.name}`)
    if (state.receiver?.timeline !== leader.timeline)
      fail(`streams timeline ${state.receiver?.timeline}, and ${leader.timeline} leads`)
    // Replayed, not only received: what is not applied cannot be read yet.
    const sourceLsn = leader.lsn ?? 0n
    const lag = replicationLag({ heldLsn: state.lsn, receiver: state.receiver }, { lsn: sourceLsn, basis: 'primary' })
    if (!lag.known || lag.basis === 'heartbeat') return fail(`has replayed nothing: ${describeLag(lag)}`)
    if (lag.bytes > (tryParseSize(p.maxLag) ?? 0)) fail(`has still to replay ${describeLag(lag)}`)
    return {
      server: standby.name,
      source: server.name,
      timeline: leader.timeline,
      replayedLsn: formatLsn(state.lsn ?? 0n),
      sourceLsn: formatLsn(sourceLsn),
      lagBytes: lag.bytes,
    }
  },

  manual: (p, catalog) => [
    `${psqlTo({ server: p.source, service: p.service }, catalog)} -c 'select application_name, state, replay_lsn, pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn) as behind from pg_stat_replication'`,
    `${psqlTo(p, catalog)} -c 'select status, received_tli, pg_get_wal_replay_pause_state() from pg_stat_wal_receiver'   # streaming, the leader's timeline, not paused`,
  ],
})
