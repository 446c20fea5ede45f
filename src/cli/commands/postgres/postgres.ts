import { command } from '../../command.ts'
import { divergenceCommand } from './divergence.ts'
import { fetchWalCommand } from './fetch-wal.ts'
import { mayLeadCommand } from './may-lead.ts'
import { receiveWalCommand } from './receive-wal.ts'
import { postgresStatusCommand } from './status.ts'

export const postgresCommand = command('postgres', 'what only PostgreSQL needs: its write-ahead log and its standbys', [
  ['holdfast postgres receive-wal orders-db', 'store WAL as it is written, until stopped'],
  ['holdfast postgres status orders-db', 'what is stored, whether the server is followed, and how far its standbys are behind'],
  ['holdfast postgres divergence orders-db', 'what an old primary has that the new one has not'],
])
  .addCommand(receiveWalCommand)
  .addCommand(postgresStatusCommand)
  .addCommand(divergenceCommand)
  .addCommand(mayLeadCommand)
  .addCommand(fetchWalCommand)
