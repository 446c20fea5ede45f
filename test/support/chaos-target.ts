import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { freePort } from './free-port.ts'
import { holdfast, temporaryFolder } from './holdfast.ts'
import { until } from './until.ts'

export interface ChaosTarget extends AsyncDisposable {
  readonly path: string
  readonly url: string
  readonly pidFile: string
  /** The state of the server's process, as /proc has it: `S` sleeps, `T` is stopped. */
  state(): Promise<string>
  /** Writes the catalog with these experiments. */
  experiments(experiments: Readonly<Record<string, object>>, more?: object): Promise<void>
  chaos(
    args: readonly string[],
    onStart?: (child: { kill: (signal: NodeJS.Signals) => void }) => void,
  ): ReturnType<typeof holdfast>
}

const server = `
const { createServer } = require('node:http')
const { writeFileSync } = require('node:fs')
const [, port, pidFile] = process.argv
createServer((_, response) => response.end('well')).listen(Number(port), '127.0.0.1', () => writeFileSync(pidFile, process.pid + '\\n'))
`

/** An experiment that freezes the server for a second, after which it must be well. */
export function frozen({ url, pidFile }: Pick<ChaosTarget, 'url' | 'pidFile'>) {
  return {
    services: ['api'],
    hypothesis: {
      title: 'it answers',
      every: '100ms',
      before: '500ms',
      after: '500ms',
      probes: [{ name: 'answers', http: url, timeout: '2s' }],
    },
    faults: [{ inject: { 'process.pause': { target: { pidFile }, by: 'signal' } }, for: '1s' }],
    recoversWithin: '10s',
    recoversFrom: 'clean-up',
  }
}

/** A real HTTP server that is started again when it dies, in a folder with a catalog: something to break. */
export async function chaosTarget(): Promise<ChaosTarget> {
  const folder = await temporaryFolder('chaos')
  const { path } = folder
  const port = await freePort()
  const pidFile = join(path, 'server.pid')
  const loop = 'while :; do "$0" -e "$1" "$2" "$3"; sleep 0.2; done'
  const keeper = spawn('sh', ['-c', loop, process.execPath, server, String(port), pidFile], { detached: true, stdio: 'ignore' })
  const ended = once(keeper, 'close')
  await until(
    'the server is up',
    () => Promise.resolve(existsSync(pidFile)),
    (isUp) => isUp,
  )
  return {
    path,
    url: `http://127.0.0.1:${port}/`,
    pidFile,
    async state() {
      const pid = (await readFile(pidFile, 'utf8')).trim()
      return (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1]?.[0] ?? ''
    },
    async experiments(experiments, more = {}) {
      const services = { api: { owner: 'Ann', site: 'here', objectives: { rpo: '5m', rto: '5m' } } }
      await writeFile(
        join(path, 'holdfast.yaml'),
        stringify({ version: 1, name: 'test', sites: { here: {} }, services, ...more, experiments }),
      )
    },
    chaos: (args, onStart) =>
      holdfast(['chaos', ...args, '--json'], { cwd: path, ...(onStart === undefined ? {} : { onStart }) }),
    async [Symbol.asyncDispose]() {
      process.kill(-(keeper.pid ?? 0), 'SIGKILL')
      await ended
      await folder[Symbol.asyncDispose]()
    },
  }
}
