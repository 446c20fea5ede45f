// The restore_command's second step, after its look into the spool: asks the process that runs the recovery. Imports nothing of ours, so that it
// starts at once. Arguments: socket, spool folder, file name, destination.
import { copyFile, rename, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'

/** What fetch-command.ts makes of them: 44 is verified absence, 45 that nobody answers. Everything else is a failure. */
const exit = { done: 0, failed: 200, absent: 44, nobody: 45 }

const [socketPath = '', spool = '', name = '', destination = ''] = process.argv.slice(2)
const answer = await ask()
if (answer === undefined) process.exit(exit.nobody)
if (answer === 'absent') process.exit(exit.absent)
if (answer !== 'ready') {
  process.stderr.write(`holdfast: cannot fetch ${name}: ${answer.replace(/^failed /, '')}\n`)
  process.exit(exit.failed)
}
try {
  await move(join(spool, name), destination)
  process.exit(exit.done)
} catch (error) {
  process.stderr.write(`holdfast: cannot put ${name} into ${destination}: ${String(error)}\n`)
  process.exit(exit.failed)
}

/** Undefined when nobody is there, or it went away before it had answered. */
async function ask(): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>()
  let text = ''
  const socket = connect(socketPath, () => socket.write(`${name}\n`))
  socket.setEncoding('utf8').on('data', (more: string) => (text += more))
  socket.once('error', () => resolve(undefined))
  socket.once('close', () => resolve(text.endsWith('\n') ? text.trimEnd() : undefined))
  return await promise
}

async function move(from: string, to: string): Promise<void> {
  try {
    await rename(from, to)
  } catch (error) {
    // pg_wal may lie on a file system of its own.
    if (!(error instanceof Error) || !('code' in error) || error.code !== 'EXDEV') throw error
    await copyFile(from, to)
    await rm(from, { force: true })
  }
}
