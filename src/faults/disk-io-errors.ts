import { existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { durationText, text } from '../catalog/index.ts'
import { blocker, HoldfastError, parseDuration, quote, runProcess, type Finding } from '../kernel/index.ts'
import { workerEntry } from '../threads/index.ts'
import { absent, over, partly, present } from './contract.ts'
import { defineFault } from './define-fault.ts'
import { startHolder } from './holder/start.ts'
import { errors, findLibfiu, operations } from './io/libfiu.ts'
import { readSwitched } from './io/switched.ts'
import { endMarkedByHand, markedProcesses } from './mark.ts'
import { stillRunning } from './process/identity.ts'
import { commandParam, programFindings } from './program/command.ts'
import { hasLoaded } from './program/start.ts'

const params = z.strictObject({
  command: commandParam,
  user: text
    .describe(
      'Whose rights it has, with all of its groups, which only root may give away (by setpriv). Default: those of Holdfast.',
    )
    .optional(),
  operations: z
    .array(z.enum(operations))
    .min(1)
    .describe(
      'Which calls fail. pread, pwrite (at an offset, as databases do), fsync (and fdatasync), open, truncate, rename and unlink are of files; read and write are of its pipes and sockets, too.',
    ),
  error: z.enum(errors).describe('How they fail (errno(3)).').default('EIO'),
  percent: z.number().gt(0).max(100).describe('How many of these calls fail, of a hundred, at random.').default(100),
  after: durationText.describe('How long it runs without errors first, so that it can start.').default('0s'),
  lasts: durationText
    .describe('How long there are errors; then it goes on without. Default: until the end of the fault.')
    .optional(),
})

type Params = z.infer<typeof params>

const traces = z.strictObject({ library: z.string(), controls: z.string() })

const holder = () => workerEntry('io/errors-worker', import.meta.url)

/** A program whose disk does not do what it should. */
export const diskIoErrors = defineFault<Params, z.infer<typeof traces>>({
  kind: 'disk.io-errors',
  description:
    'Starts a program some of whose calls to the system fail as on a broken or full disk, by libfiu: it is of this program and what it starts, whatever the path, and no other process sees any of it. The errors begin while it runs, and each of its processes must answer that it has them. The program ends with the fault. It must be linked dynamically to the C library (many Go programs are not), and call it for its I/O: what copies within the kernel (cp, cat) does not, and Node ends at once when write fails. PostgreSQL’s server crashes under libfiu as soon as it starts; Redis and MariaDB run. A server that changes its user by itself cannot be told any more: name it in `user` instead.',
  example: { command: ['/usr/sbin/mariadbd'], user: 'mysql', operations: ['fsync', 'pwrite'], percent: 5, after: '10s' },
  params,
  traces,
  expiry: 'with-holder',
  holder,

  async preflight({ command, user }, _context, signal): Promise<Finding[]> {
    if (findLibfiu() === undefined) {
      const hint = 'install libfiu (Debian, Ubuntu: the package libfiu0)'
      return [blocker('no-libfiu', 'libfiu is not installed', hint)]
    }
    if (user === undefined) return programFindings(command)
    if (process.geteuid?.() !== 0) return [blocker('not-root', 'only root may give a program the rights of another user')]
    if ((await accountOf(user, signal)) === undefined) return [blocker('no-user', `there is no user ${user}`)]
    return [...programFindings(['setpriv']), ...programFindings(command)]
  },

  async plan({ command, operations: chosen, error, percent }, { id }) {
    const library = findLibfiu()
    if (library === undefined) throw new HoldfastError('fault-refused', { message: 'libfiu is not installed' })
    const share = percent === 100 ? '' : `${percent} % of `
    return {
      targets: [`the I/O of ${command.join(' ')} (${error} on ${share}${chosen.join(', ')})`],
      traces: { library: library.posix, controls: join(tmpdir(), `holdfast-${id}`) },
    }
  },

  async inject({ after, lasts, user, ...failure }, { controls }, context, signal) {
    const { folder } = context
    const account = user === undefined ? undefined : await accountOf(user, signal)
    const task = {
      ...failure,
      library: findLibfiu(),
      account,
      afterMs: parseDuration(after),
      lastsMs: lasts === undefined ? undefined : parseDuration(lasts),
      controls,
      output: join(folder, 'output'),
      folder,
    }
    await startHolder(holder(), task, context, signal)
  },

  async look({ library, controls }, { id, folder }) {
    const switched = await readSwitched(folder)
    if ((await markedProcesses(id)).length === 0) {
      if (!existsSync(controls)) return absent
      const failed = switched.find((said) => said.state === 'failed')
      return partly(`the program has ended, and its pipes are in ${controls}${failed === undefined ? '' : `: ${failed.because}`}`)
    }
    if (switched.some(({ state }) => state === 'over')) return over('its errors have stopped after their time')
    const running = switched.flatMap((said) => (said.state === 'on' ? (stillRunning(said.process) ?? []) : []))
    const failing = await Promise.all(running.map(({ pid }) => hasLoaded(pid, library)))
    return failing.includes(true) ? present : partly('nothing that runs has been told to fail')
  },

  // Its processes have been ended by their mark.
  undo: ({ controls }) => rm(controls, { recursive: true, force: true }),

  manualUndo: ({ controls }, id) => [endMarkedByHand(id), `rm -rf ${quote(controls)}`],
})

/** Undefined for nobody. */
async function accountOf(user: string, signal: AbortSignal): Promise<{ uid: number; gid: number } | undefined> {
  const [uid, gid] = await Promise.all(['-u', '-g'].map((which) => runProcess('id', [which, '--', user], {}, signal)))
  if (uid?.exitCode !== 0 || gid?.exitCode !== 0) return undefined
  return { uid: Number(uid.stdout), gid: Number(gid.stdout) }
}
