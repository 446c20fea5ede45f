import { afterAll, beforeAll } from 'vitest'
import { startMoto, type Moto } from './moto.ts'
import { describeWith } from './peers.ts'

/** A suite with a moto of its own, which is there once its tests run, and with the credentials in the environment that faults and programs are given. */
export function describeWithMoto(title: string, suite: (moto: Moto, environment: string) => void): void {
  describeWith('moto', title, (environment) => {
    const moto = {} as Moto
    beforeAll(async () => {
      for (const name of ['AWS_TEST_ID', 'AWS_TEST_SECRET', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'])
        process.env[name] = 'test'
      Object.assign(moto, await startMoto(environment))
    })
    afterAll(() => moto[Symbol.asyncDispose]?.())
    suite(moto, environment)
  })
}
