import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

/** A moto server: AWS, emulated. It remembers what it is told, and forgets it when it is stopped. */
export interface Moto extends AsyncDisposable {
  readonly url: string
  /** From now on only what IAM allows is done, and only with a right signature; or no longer. */
  enforceIam(isOn: boolean): Promise<void>
  /** From now on what is of that model (`fis::experiment`) is in its next state only after it was read so often. */
  slowDown(model: string, reads: number): Promise<void>
}

/** Starts the server of that Python environment on a free port. */
export async function startMoto(environment: string): Promise<Moto> {
  const child = spawn(join(environment, 'bin/python'), ['-u', '-m', 'moto.server', '-H', '127.0.0.1', '-p', '0'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NO_COLOR: '1', MOTO_EC2_LOAD_DEFAULT_AMIS: 'false' },
  })
  const url = await new Promise<string>((resolve, reject) => {
    let said = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        said = `${said}${text}`.slice(-10_000)
        const [, address] = /Running on (http:\/\/127\.0\.0\.1:\d+)/.exec(said) ?? []
        if (address !== undefined) resolve(address)
      })
    }
    child.once('error', reject)
    child.once('exit', (code) => reject(new Error(`moto ended with ${code}: ${said}`)))
  })
  const post = async (path: string, body?: string) => {
    const answer = await fetch(`${url}/moto-api/${path}`, { method: 'POST', ...(body === undefined ? {} : { body }) })
    if (!answer.ok) throw new Error(`moto answered ${answer.status} to ${path}`)
  }
  return {
    url,
    // After so many calls, says its documentation.
    enforceIam: (isOn) => post('reset-auth', isOn ? '0' : 'inf'),
    slowDown: (model, times) =>
      post('state-manager/set-transition', JSON.stringify({ model_name: model, transition: { progression: 'manual', times } })),
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null || child.signalCode !== null) return
      child.kill('SIGKILL')
      await once(child, 'exit')
    },
  }
}
