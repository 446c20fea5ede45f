import { command } from '../../command.ts'
import { fetchWalCommand } from './fetch-wal.ts'
import { receiveWalCommand } from './receive-wal.ts'
import { postgresStatusCommand } from './status.ts'

export const postgresCommand = command('postgres', 'what only PostgreSQL needs: its write-ahead log', [
  ['holdfast postgres receive-wal orders-db', 'store WAL as it is written, until stopped'],
  ['holdfast postgres status orders-db', 'what is stored, and whether the server is followed'],
])
  .addCommand(receiveWalCommand)
  .addCommand(postgresStatusCommand)
  .addCommand(fetchWalCommand)
