import { pythonEnvironment } from './python-environment.ts'

/** An emulated AWS, and the `aws` command that people would use by hand, from PyPI. */
const moto = pythonEnvironment('moto', ['moto[server]==5.2.5', 'awscli==1.46.3'])

/** The folder of a Python environment that has both. */
export const findMoto = (): string | undefined => moto.find()

export const installMoto = (): void => moto.install()
